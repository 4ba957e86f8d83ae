#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
  const models::ResNetSmall<Cpu, 1, 2, pool::LapWith<lap::binary()>> net;
  return static_cast<int>(parameter_count(net));
}

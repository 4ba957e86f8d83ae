#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
  const models::ResNet18<Cpu, 3, 1000> net{Seed{7}};
  return static_cast<int>(parameter_count(net));
}

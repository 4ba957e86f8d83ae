// A clue system for two classes in a network for three.
// expect: limn: the clue system is for another number of classes
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const models::ResNetSmall<Cpu, 1, 3, pool::LapWith<lap::binary()>> net;
#else
  const models::ResNetSmall<Cpu, 1, 2, pool::LapWith<lap::binary()>> net;
#endif
  return static_cast<int>(parameter_count(net));
}

// A whole network on the GPU: the same message. More lines than elsewhere: 11 of them say which header includes which.
// lines: 22
// expect: limn: the Cuda back end is not part of this version
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const models::ResNet18<Cuda, 3, 1000> net{Seed{7}};
#else
  const models::ResNet18<Cpu, 3, 1000> net{Seed{7}};
#endif
  return static_cast<int>(parameter_count(net));
}

// LAPs beside a network that is gone at the end of the line.
// expect: use of deleted function
#include "limn/models/resnet.hpp"
#include "limn/nn/attach.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const auto laps = lap::attach<"layer4">(models::ResNetSmall<Cpu, 1, 2>{}, lap::binary());
#else
  const models::ResNetSmall<Cpu, 1, 2> net;
  const auto laps = lap::attach<"layer4">(net, lap::binary());
#endif
  return static_cast<int>(parameter_count(laps));
}

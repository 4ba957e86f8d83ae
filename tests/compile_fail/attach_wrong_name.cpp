// LAPs at a layer that the network does not have.
// expect: limn: at<path>: the layer has no field of this name
#include "limn/models/resnet.hpp"
#include "limn/nn/attach.hpp"
using namespace limn;

int main() {
  const models::ResNetSmall<Cpu, 1, 2> net;
#ifdef BAD
  const auto laps = lap::attach<"layer3", "layer5">(net, lap::binary());
#else
  const auto laps = lap::attach<"layer3", "layer4">(net, lap::binary());
#endif
  return static_cast<int>(parameter_count(laps));
}

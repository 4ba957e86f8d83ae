// Channels that do not fit are named by position, layer, given and expected: 3, Conv2d, 16, 32.
// expect: limn: Sequential: this layer does not take the channels that the layer before it gives
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
using namespace limn;

int main() {
#ifdef BAD
  Sequential<Conv2d<Cpu, 1, 16, 3>, BatchNorm2d<Cpu, 16>, Relu<Cpu>, Conv2d<Cpu, 32, 8, 3>> net;
#else
  Sequential<Conv2d<Cpu, 1, 16, 3>, BatchNorm2d<Cpu, 16>, Relu<Cpu>, Conv2d<Cpu, 16, 8, 3>> net;
#endif
  return static_cast<int>(parameter_count(net));
}

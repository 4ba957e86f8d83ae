#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
using namespace limn;

int main() {
  Sequential<Conv2d<Cpu, 1, 16, 3>, BatchNorm2d<Cpu, 16>, Relu<Cpu>, Conv2d<Cpu, 16, 8, 3>> net;
  return static_cast<int>(parameter_count(net));
}

#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
using namespace limn;

using Net = Sequential<Conv2d<Cpu, 1, 4, 3, 1, 1>, MaxPool2d<Cpu, 2>, Flatten<Cpu>, Linear<Cpu, 4 * 16 * 16, 2>>;
constexpr auto out = shapes<Net>(Input{32, 32, 1}).back();

int main() { return static_cast<int>(out.channels); }

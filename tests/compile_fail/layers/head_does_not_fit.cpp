// A head for another size of image: the message shows the layer, its position, the shape it gets and what it expects.
// expect: array subscript value '4096' is outside the bounds of array 'channels' of type .*ExpectedChannels<1024>
// \[1\]'
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
using namespace limn;

using Net = Sequential<Conv2d<Cpu, 1, 4, 3, 1, 1>, MaxPool2d<Cpu, 2>, Flatten<Cpu>, Linear<Cpu, 4 * 16 * 16, 2>>;
#ifdef BAD
constexpr auto out = shapes<Net>(Input{64, 64, 1}).back();
#else
constexpr auto out = shapes<Net>(Input{32, 32, 1}).back();
#endif

int main() { return static_cast<int>(out.channels); }

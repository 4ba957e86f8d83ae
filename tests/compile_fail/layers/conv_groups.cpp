// Channels that cannot be cut into the groups that were asked for.
// expect: limn: Conv2d: the channels cannot be cut into so many groups
#include "limn/nn/layers.hpp"
using namespace limn;

int main() {
#ifdef BAD
  Conv2d<Cpu, 6, 8, 3, 1, 1, true, 4> conv;
#else
  Conv2d<Cpu, 6, 8, 3, 1, 1, true, 2> conv;
#endif
  return static_cast<int>(conv.weight.size());
}

// Maps that are multiplied have the same channels.
// expect: limn: Multiply: both maps must have the same number of channels
#include "limn/nn/fusion.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const Multiply<Cpu, 8, 4> layer;
#else
  const Multiply<Cpu, 8, 8> layer;
#endif
  return static_cast<int>(parameter_count(layer));
}

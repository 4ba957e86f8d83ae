// A fusion for maps of other channels than those of the branches.
// expect: limn: TwoBranch: the fusion is for maps of other numbers of channels than those of the branches
#include "limn/models/bagnet.hpp"
#include "limn/models/two_branch.hpp"
using namespace limn;

using Global = models::ResNetSmall<Cpu, 1, 2>;                     // a map of 64 channels
using Local = models::BagNet<Cpu, 1, 2, 3, 2, models::Blocks{1}>;  // of 64 channels
#ifdef BAD
using Gate = AttentionGate<Cpu, 64, 512>;
#else
using Gate = AttentionGate<Cpu, 64, 64>;
#endif

int main() {
  const models::TwoBranch<Global, Local, Gate, 64, 4> net;
  return static_cast<int>(parameter_count(net));
}

// A background class that there is not.
// expect: limn: one_vs_others: there is no such background class
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const models::ResNetSmall<Cpu, 1, 3, pool::LapWith<lap::one_vs_others<3, 3>()>> net;
#else
  const models::ResNetSmall<Cpu, 1, 3, pool::LapWith<lap::one_vs_others<3, 2>()>> net;
#endif
  return static_cast<int>(parameter_count(net));
}

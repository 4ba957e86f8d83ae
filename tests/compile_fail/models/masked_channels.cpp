// A classifier of colour pictures behind a masker of grey ones.
// expect: limn: Masked: classifier and masker must take pictures of as many channels
#include "limn/models/masker.hpp"
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
  const models::ResNetSmall<Cpu, 3, 2> net;
#ifdef BAD
  const models::Masked behind(net, models::Masker<Cpu, 1>{});
#else
  const models::Masked behind(net, models::Masker<Cpu, 3>{});
#endif
  return sizeof(behind) > 0 ? 0 : 1;
}

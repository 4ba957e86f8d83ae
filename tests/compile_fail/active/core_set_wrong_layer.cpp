// Distances between what a layer gives that the network does not have.
// expect: limn: at<path>: the layer has no field of this name
#include "limn/active/select.hpp"
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const acquire::CoreSet<"embedding"> selector;
#else
  const acquire::CoreSet<"avgpool"> selector;
#endif
  const models::ResNetSmall<Cpu, 1, 2> net;
  const data::Dataset none;
  return static_cast<int>(acquire::choose(selector, net, none, none, 0).positions.size());
}

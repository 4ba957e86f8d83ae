// Distances between what a layer gives that the network does not have.
// lines: 18
// expect: limn: at<path>: the layer has no field of this name
#include "limn/active/diversity.hpp"
#include "limn/active/select.hpp"
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const acquire::CoreSet<"embedding"> farthest;
#else
  const acquire::CoreSet<"avgpool"> farthest;
#endif
  const models::ResNetSmall<Cpu, 1, 2> net;
  const data::Dataset none;
  return static_cast<int>(acquire::choose(farthest, net, none, none, 0).positions.size());
}

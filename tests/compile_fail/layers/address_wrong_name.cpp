// A part that is not there: the message shows the name that was not found.
// expect: limn: at<path>: the layer has no field of this name
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
  const models::ResNet18<Cpu, 1, 2> net;
#ifdef BAD
  return static_cast<int>(parameter_count(at<"layer5">(net)));
#else
  return static_cast<int>(parameter_count(at<"layer4">(net)));
#endif
}

// An explanation loss at a layer that the network does not have.
// expect: limn: at<path>: the layer has no field of this name
#include "limn/loss/explanation/explanation.hpp"
#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const auto loss = as_loss(ExplanationLoss<GradCam<"layer5">, OutsideMass>{});
#else
  const auto loss = as_loss(ExplanationLoss<GradCam<"layer4">, OutsideMass>{});
#endif
  const models::ResNetSmall<Cpu, 1, 2> net;
  Run<Cpu> run;
  loss.watch(net, run);
  return run.watches() ? 0 : 1;
}

// A loss guided by a masker that is gone when the loss is used.
// expect: use of deleted function
#include "limn/loss/explanation/align.hpp"
using namespace limn;

int main() {
  const models::Masker<Cpu, 1> masker;
#ifdef BAD
  const auto term = guided_by(models::Masker<Cpu, 1>{}, ExplanationLoss<GradCam<"layer4">, Bce>{});
#else
  const auto term = guided_by(masker, ExplanationLoss<GradCam<"layer4">, Bce>{});
#endif
  return term.masker == &masker ? 0 : 1;
}

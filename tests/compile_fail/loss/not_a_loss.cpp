// A term without a name is not a loss, and cannot be added to one.
// expect: limn: this is not a loss: a term needs static constexpr const char\* name
#include "limn/loss/classification.hpp"
using namespace limn;

struct Mine {
#ifndef BAD
  static constexpr const char* name = "mine";
#endif
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return sum(step.logits);
  }
};

int main() {
  auto loss = CrossEntropy{} + Mine{};
  return sizeof(&loss) > 0 ? 0 : 1;
}

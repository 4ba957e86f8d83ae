// A layer that is called in another way than layers are.
// expect: limn: a layer is called as Var<B> operator
#include "limn/nn/layers.hpp"
using namespace limn;

struct Head {
  Linear<Cpu, 8, 2> linear;
  static constexpr auto fields = Fields{field<"linear">(&Head::linear)};
#ifdef BAD
  Var<Cpu> operator()(const Var<Cpu>& x) const { return x; }
#else
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(linear, x); }
#endif
};

int main() {
  const Head head;
  Run<Cpu> run;
  return static_cast<int>(run(head, Var<Cpu>(Tensor<Cpu>(Shape{1, 8}))).size());
}

// The same layer, only called.
// expect: limn: this layer does not list its members
#include "limn/nn/layers.hpp"
using namespace limn;

struct Head {
  Linear<Cpu, 8, 2> linear;
#ifndef BAD
  static constexpr auto fields = Fields{field<"linear">(&Head::linear)};
#endif
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(linear, x); }
};

int main() {
  const Head head;
  Run<Cpu> run;
  return static_cast<int>(run(head, Var<Cpu>(Tensor<Cpu>(Shape{1, 8}))).size());
}

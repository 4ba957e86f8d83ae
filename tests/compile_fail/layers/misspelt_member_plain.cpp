// The same in a layer that is no template: the place is the misspelt word.
// expect: incomplete type 'SqueezeExcite' used in nested name specifier
#include "limn/nn/layers.hpp"
using namespace limn;

struct SqueezeExcite {
  Linear<Cpu, 32, 2> squeeze;
#ifdef BAD
  static constexpr auto fields = Fields{field<"squeeze">(&SqueezeExcite::squeez)};
#else
  static constexpr auto fields = Fields{field<"squeeze">(&SqueezeExcite::squeeze)};
#endif
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(squeeze, x); }
};

int main() {
  const SqueezeExcite layer;
  return static_cast<int>(parameter_count(layer));
}

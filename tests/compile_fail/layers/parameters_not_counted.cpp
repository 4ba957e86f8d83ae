// The compiler is asked for the number of parameters of a layer that does not say how many it owns.
// expect: limn: parameter_count: this layer does not say how many parameters it owns
#include "limn/nn/layers.hpp"
using namespace limn;

struct Gain {
  Parameter<Cpu> gain{Shape{1}};
#ifndef BAD
  static constexpr Index own_parameters = 1;
#endif
  static constexpr auto fields = Fields{field<"gain">(&Gain::gain)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto&) const { return x * gain; }
};

int main() { return static_cast<int>(parameter_count<Gain>()); }

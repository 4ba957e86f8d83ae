#include "limn/nn/layers.hpp"
using namespace limn;

struct SqueezeExcite {
  Linear<Cpu, 32, 2> squeeze;
  static constexpr auto fields = std::tuple{field<"squeeze">(&SqueezeExcite::squeeze)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(squeeze, x); }
};

int main() {
  const SqueezeExcite layer;
  return static_cast<int>(parameter_count(layer));
}

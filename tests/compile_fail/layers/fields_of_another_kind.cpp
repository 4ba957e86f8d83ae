// Members in a std::tuple: nothing would be trained or saved, so the message shows how to list them.
// expect: limn: this layer does not list its members
#include <tuple>

#include "limn/nn/layers.hpp"
using namespace limn;

struct Head {
  Linear<Cpu, 8, 2> linear;
#ifdef BAD
  static constexpr auto fields = std::tuple{field<"linear">(&Head::linear)};
#else
  static constexpr auto fields = Fields{field<"linear">(&Head::linear)};
#endif
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(linear, x); }
};

int main() {
  const Head head;
  return static_cast<int>(parameter_count(head));
}

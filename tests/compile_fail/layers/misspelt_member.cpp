// A member that is not there. g++ says of a template that it is incomplete, and shows the place.
// expect: incomplete type 'SqueezeExcite<limn::CpuOf<float>, 32>' used in nested name specifier
#include "limn/nn/layers.hpp"
using namespace limn;

template <Backend B, int C, int Ratio = 16>
struct SqueezeExcite {
  static constexpr int in_channels = C, out_channels = C;
  Linear<B, C, C / Ratio> squeeze;
  Linear<B, C / Ratio, C> excite;
  static constexpr auto fields =
#ifdef BAD
      Fields{field<"squeeze">(&SqueezeExcite::squeez), field<"excite">(&SqueezeExcite::excite)};
#else
      Fields{field<"squeeze">(&SqueezeExcite::squeeze), field<"excite">(&SqueezeExcite::excite)};
#endif

  Var<B> operator()(Var<B> x, auto& run) const {
    return x * sigmoid(run(excite, relu(run(squeeze, global_average(x)))));
  }
};

int main() {
  const SqueezeExcite<Cpu, 32> layer;
  return static_cast<int>(parameter_count(layer));
}

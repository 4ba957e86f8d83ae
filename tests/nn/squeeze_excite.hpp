// A layer as a user writes it: squeeze and excitation (Hu et al. 2018), word for word what the documentation shows.
#pragma once

#include "limn/nn/layers.hpp"

namespace limn::testing {

template <Backend B, int C, int Ratio = 16>
struct SqueezeExcite {
  static constexpr int in_channels = C, out_channels = C;
  Linear<B, C, C / Ratio> squeeze;
  Linear<B, C / Ratio, C> excite;
  static constexpr auto fields =
      Fields{field<"squeeze">(&SqueezeExcite::squeeze), field<"excite">(&SqueezeExcite::excite)};

  Var<B> operator()(Var<B> x, auto& run) const {
    return x * sigmoid(run(excite, relu(run(squeeze, global_average(x)))));
  }
};

}  // namespace limn::testing

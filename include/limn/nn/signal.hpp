// Layers for signals (n, l, c). A signal is a picture of one row: they take (n, 1, l, c) too and give what they get, so
// a data set of such pictures goes through everything that pictures go through. LAP maps are always (n, 1, l, clues).
#pragma once

#include "limn/nn/lap.hpp"

namespace limn {

/// weight (out, 1, kernel, in), stored as (out, in, 1, kernel) in files: that of torch's Conv1d with an axis of 1; bias
/// (out).
template <Backend B, int In, int Out, int Kernel, int Stride = 1, int Padding = 0, bool Bias = true>
struct Conv1d {
  static constexpr int in_channels = In, out_channels = Out;
  static constexpr Window window{1, Kernel, 1, Stride, 0, Padding};
  static constexpr Index own_parameters = Index{Out} * Kernel * In + (Bias ? Out : 0);
  Parameter<B> weight{Shape{Out, 1, Kernel, In}}, bias{Shape{Bias ? Out : 0}};
  static constexpr auto fields = [] {
    if constexpr (Bias) {
      return Fields{field<"weight">(&Conv1d::weight), field<"bias">(&Conv1d::bias)};
    } else {
      return Fields{field<"weight">(&Conv1d::weight)};
    }
  }();
  static constexpr Dims shape(Dims in) { return {1, window.out_w(in.width), Out}; }

  /// As Conv2d: normal with variance 2 / (out * kernel).
  void initialise(Random& random) {
    draw_normal(weight.value(), std::sqrt(2.0 / (static_cast<double>(Out) * Kernel)), random);
    bias.value().fill(0);
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    return detail::as_picture("Conv1d", x, [&](const Var<B>& row) {
      Var<B> y = conv2d(row, weight, window);
      run.pooled(row, window);
      if constexpr (Bias) return y + bias;
      return y;
    });
  }
};

template <Backend B, int C>
using BatchNorm1d = BatchNorm2d<B, C>;

/// LAP-Pool over windows of Kernel elements; Kernel = 0 pools the whole signal.
template <Backend B, int Scored, auto Clues, int Kernel, int Stride = 1, int Padding = 0,
          lap::Aggregate Scores = lap::Aggregate::sum>
using LapPool1d = LapPool<B, Scored, Clues, Kernel, Stride, Padding, Scores, 1>;

}  // namespace limn

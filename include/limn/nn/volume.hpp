// Layers for volumes (n, d, h, w, c). Linear, LapHead, Relu and Flatten take volumes as they are.
#pragma once

#include "limn/nn/lap.hpp"
#include "limn/ops/lap_pool3d.hpp"

namespace limn {

/// weight (out, kernel, kernel, kernel, in), stored as (out, in, kernel, kernel, kernel) in files; bias (out).
template <Backend B, int In, int Out, int Kernel, int Stride = 1, int Padding = 0, bool Bias = true>
struct Conv3d {
  static constexpr int in_channels = In, out_channels = Out;
  static constexpr Window3d window = Window3d::cube(Kernel, Stride, Padding);
  static constexpr Index own_parameters = Index{Out} * Kernel * Kernel * Kernel * In + (Bias ? Out : 0);
  Parameter<B> weight{Shape{Out, Kernel, Kernel, Kernel, In}}, bias{Shape{Bias ? Out : 0}};
  static constexpr auto fields = [] {
    if constexpr (Bias) {
      return Fields{field<"weight">(&Conv3d::weight), field<"bias">(&Conv3d::bias)};
    } else {
      return Fields{field<"weight">(&Conv3d::weight)};
    }
  }();
  static constexpr Dims shape(Dims in) {
    return {window.out_h(in.height), window.out_w(in.width), Out, window.out_d(in.depth)};
  }

  /// As Conv2d: normal with variance 2 / (out * kernel^3).
  void initialise(Random& random) {
    draw_normal(weight.value(), std::sqrt(2.0 / (static_cast<double>(Out) * Kernel * Kernel * Kernel)), random);
    bias.value().fill(0);
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y = conv3d(x, weight, window);
    run.pooled(x, window);
    if constexpr (Bias) return y + bias;
    return y;
  }
};

template <Backend B, int C>
using BatchNorm3d = BatchNorm2d<B, C>;

/// LAP-Pool over boxes of Kernel x Kernel x Kernel; Kernel = 0 pools the whole volume.
template <Backend B, int Scored, auto Clues, int Kernel, int Stride = 1, int Padding = 0,
          lap::Aggregate Scores = lap::Aggregate::sum>
using LapPool3d = LapPool<B, Scored, Clues, Kernel, Stride, Padding, Scores, 3>;

}  // namespace limn

// The net of record_attributions.py, and comparisons with what was recorded of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../nn/helpers.hpp"
#include "attribution_fixtures.hpp"
#include "limn/nn/layers.hpp"

namespace limn::testing {

inline Tensor<CpuDouble> wave(const Shape& shape, double speed, double size, double shift = 0) {
  Tensor<CpuDouble> t(shape);
  for (Index i = 0; i < t.size(); ++i) t.data()[i] = size * std::sin(speed * static_cast<double>(i) + 0.5) + shift;
  return t;
}

/// A convolution with batch norm, a max-pool before a relu, a shortcut, and relu as a function.
struct RecordedNet {
  using D = CpuDouble;
  Conv2d<D, 2, 4, 3, 1, 1> conv1;
  BatchNorm2d<D, 4> norm;
  Conv2d<D, 4, 4, 3, 1, 1, false> conv2;
  Conv2d<D, 4, 4, 3, 1, 1> conv3;
  Linear<D, 4, 3> fc;
  bool ends_with_softmax = false;
  static constexpr auto fields =
      Fields{field<"conv1">(&RecordedNet::conv1), field<"norm">(&RecordedNet::norm),
             field<"conv2">(&RecordedNet::conv2), field<"conv3">(&RecordedNet::conv3), field<"fc">(&RecordedNet::fc)};

  RecordedNet() {
    conv1.weight.value() = wave({4, 3, 3, 2}, 0.7, 0.6);
    conv1.bias.value() = wave({4}, 2.1, 0.2);
    norm.weight.value() = wave({4}, 1.1, 0.3, 0.9);
    norm.bias.value() = wave({4}, 0.8, 0.3);
    norm.running_mean.value() = wave({4}, 1.7, 0.2);
    norm.running_var.value() = wave({4}, 2.3, 0.3, 0.8);
    conv2.weight.value() = wave({4, 3, 3, 4}, 1.9, 0.5);
    conv3.weight.value() = wave({4, 3, 3, 4}, 2.9, 0.4);
    conv3.bias.value() = wave({4}, 1.3, 0.2);
    fc.weight.value() = wave({3, 4}, 0.9, 1);
    fc.bias.value() = wave({3}, 1.5, 0.1);
  }
  Var<D> operator()(const Var<D>& image, auto& run) const {
    const Window two = Window::square(2, 2, 0);
    const Var<D> normed = run(norm, run(conv1, image));
    run.pooled(normed, two);
    const Var<D> p = relu(max_pool2d(normed, two));
    const Var<D> s = relu(run(conv2, p)) + p;
    const Var<D> logits = run(fc, flatten(global_average(relu(run(conv3, s)))));
    return ends_with_softmax ? softmax(logits) : logits;
  }
};

inline Tensor<CpuDouble> recorded_images() { return wave({2, 6, 8, 2}, 1.3, 1); }
inline Tensor<CpuDouble> recorded_baselines() { return wave({2, 6, 8, 2}, 0.37, 0.4); }
inline const std::vector<Index> recorded_classes{2, 0};
inline std::span<const Index> recorded_targets() { return recorded_classes; }

/// The largest difference from what was recorded, as a share of the largest recorded number; infinite where the numbers
/// are not as many.
template <std::size_t N>
double off(std::span<const double> found, const double (&expected)[N]) {
  if (found.size() != N) return INFINITY;
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < N; ++i) {
    const double d = std::abs(found[i] - expected[i]);
    if (!(d <= worst)) worst = d;
    largest = std::max(largest, std::abs(expected[i]));
  }
  return worst / largest;
}
template <std::size_t N>
double off(const Tensor<CpuDouble>& found, const double (&expected)[N]) {
  return off(std::span<const double>(found.data(), static_cast<std::size_t>(found.size())), expected);
}

}  // namespace limn::testing

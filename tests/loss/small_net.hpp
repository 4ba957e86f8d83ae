// What the tests of losses with further passes share: a network that is also written in plain loops, pictures for it,
// and gradients against differences.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/classification.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"

namespace small {

using namespace limn;
using D = CpuDouble;

constexpr Index height = 4, width = 5, channels = 2, features = 3, classes = 2;

/// 1x1 convolution, global mean, linear: Grad-CAM at "0" is known in closed form.
using Net = Sequential<Conv2d<D, channels, features, 1>, GlobalAverage<D>, Flatten<D>, Linear<D, features, classes>>;
/// The same with a ReLU and batch normalisation.
using Normed = Sequential<Conv2d<D, channels, features, 3, 1, 1, false>, BatchNorm2d<D, features>, Relu<D>,
                          GlobalAverage<D>, Flatten<D>, Linear<D, features, classes>>;

template <class N>
N network() {
  N net;
  initialise(net, Seed{4});
  for (const auto& p : parameters(net))
    for (auto& v : p.parameter->value().span()) v *= 2;  // clear scores
  return net;
}

/// Five pictures: three of class 1, two of class 0; two domains, 0 and 2.
inline Batch<D> batch() {
  return {testing::random_tensor<D>({5, height, width, channels}, "images"),
          {1, 0, 1, 1, 0},
          Tensor<D>(Shape{5, height, width, 1}, 0),
          {0, 0, 0, 0, 0},
          {0, 2, 2, 0, 0}};
}

using Picture = std::vector<double>;  ///< height * width * channels

inline Picture picture(const Batch<D>& batch, Index i) {
  const Index size = height * width * channels;
  return {batch.images.data() + i * size, batch.images.data() + (i + 1) * size};
}

/// What Net says of a picture, in loops: its features (height * width, features) and logits.
struct Said {
  std::vector<double> map, logits;
};
inline Said said(const Net& net, const Picture& x) {
  const auto &w = limn::at<"0.weight">(net).value(), &b = limn::at<"0.bias">(net).value(),
             &v = limn::at<"3.weight">(net).value(), &c = limn::at<"3.bias">(net).value();
  Said out{std::vector<double>(height * width * features), std::vector<double>(classes)};
  std::vector<double> mean(features, 0);
  for (Index p = 0; p < height * width; ++p)
    for (Index f = 0; f < features; ++f) {
      double sum = b.data()[f];
      for (Index k = 0; k < channels; ++k)
        sum += w.data()[f * channels + k] * x[static_cast<std::size_t>(p * channels + k)];
      out.map[static_cast<std::size_t>(p * features + f)] = sum;
      mean[static_cast<std::size_t>(f)] += sum / static_cast<double>(height * width);
    }
  for (Index k = 0; k < classes; ++k) {
    double sum = c.data()[k];
    for (Index f = 0; f < features; ++f) sum += v.data()[k * features + f] * mean[static_cast<std::size_t>(f)];
    out.logits[static_cast<std::size_t>(k)] = sum;
  }
  return out;
}
inline double probability(const std::vector<double>& logits, Index label) {
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  return std::exp(logits[static_cast<std::size_t>(label)]) / sum;
}
/// -ln p(label)
inline double surprise(const std::vector<double>& logits, Index label) { return -std::log(probability(logits, label)); }

/// The value of a loss in one step.
template <class L, class N>
Var<D> value_of(const L& loss, const N& net, const Batch<D>& data, double progress = 1, Seed seed = Seed{3}) {
  Run<D> run;
  run.training = true;
  run.seed = seed;
  return one_step(loss, net, data, run, progress).total;
}

/// The gradient of the loss with respect to every parameter against differences: the largest error.
template <class L, class N>
CheckResult gradient_error(const L& loss, N net, const Batch<D>& data) {
  const auto all = parameters(net);
  std::vector<Tensor<D>> at;
  for (const auto& p : all) at.push_back(p.parameter->value().clone());
  const limn::Differentiable f = [&](const std::vector<Var<D>>& in) -> std::vector<Var<D>> {
    for (std::size_t i = 0; i < all.size(); ++i) all[i].parameter->bind(in[i]);
    return {value_of(loss, net, data)};
  };
  return check_gradient(f, at, {.step = 1e-6, .tolerance = 1e-6, .seed = Seed{1}, .most = 40});
}

}  // namespace small

// Gradients averaged over many pictures near the one to be explained: on the way from a baseline (integrated gradients)
// or around it (SmoothGrad, VarGrad). One pass of the batch per step or sample.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "limn/core/random.hpp"
#include "limn/explain/attribution.hpp"

namespace limn::explain {

/// How an integral from 0 to 1 becomes a sum.
enum class Quadrature { gauss_legendre, left, right, middle, trapezoid };

/// Positions in [0, 1] and their weights, which add up to 1.
struct Nodes {
  std::vector<double> at, weight;
};

/// Gauss-Legendre: exact for polynomials of degree 2 n - 1. Nodes are the roots of the Legendre polynomial, by Newton's
/// method.
[[nodiscard]] inline Nodes nodes(Quadrature rule, Index n) {
  require<OptionError>(n >= (rule == Quadrature::trapezoid ? 2 : 1), "integrated gradients: ", n, " steps are too few");
  Nodes out;
  const double count = static_cast<double>(n);
  for (Index i = 0; i < n; ++i) {
    const double k = static_cast<double>(i);
    switch (rule) {
      case Quadrature::gauss_legendre: {
        double x = -std::cos(std::numbers::pi * (k + 0.75) / (count + 0.5)), slope = 1;
        for (int step = 0; step < 100; ++step) {
          double before = 1, p = x;  // the polynomials of degree 0 and 1
          for (Index degree = 2; degree <= n; ++degree) {
            const double d = static_cast<double>(degree);
            before = std::exchange(p, ((2 * d - 1) * x * p - (d - 1) * before) / d);
          }
          slope = count * (x * p - before) / (x * x - 1);
          const double move = p / slope;
          x -= move;
          if (std::abs(move) < 1e-15) break;
        }
        out.at.push_back((1 + x) / 2);
        out.weight.push_back(1 / ((1 - x * x) * slope * slope));
        break;
      }
      case Quadrature::left:
      case Quadrature::right:
      case Quadrature::middle:
        out.at.push_back((k + (rule == Quadrature::left ? 0 : rule == Quadrature::right ? 1 : 0.5)) / count);
        out.weight.push_back(1 / count);
        break;
      case Quadrature::trapezoid:
        out.at.push_back(k / (count - 1));
        out.weight.push_back((i == 0 || i == n - 1 ? 0.5 : 1) / (count - 1));
        break;
    }
  }
  return out;
}

/// The score of each picture's class.
template <class Net, Backend B>
[[nodiscard]] std::vector<double> class_scores(const Net& net, const Tensor<B>& images,
                                               std::span<const Index> classes) {
  const NoRecord no_record;
  Run<B> run;
  const Tensor<B> logits = run(net, Var<B>(images)).value();
  return row_sums((Var<B>(logits) * Var<B>(one_hot(logits, classes))).value());
}

/// Integrated gradients (Sundararajan et al. 2017): (picture - baseline) * the mean gradient on the straight line
/// between them. Adds up to the difference of the scores as far as the sum is the integral.
struct IntegratedGradients {
  static constexpr const char* name = "Integrated gradients";
  static constexpr bool probability = false;

  Index steps = 50;
  Quadrature rule = Quadrature::gauss_legendre;
  float baseline = 0;  ///< the number that stands everywhere in the baseline

  /// Of the shape of the images (n, h, w, c). Residual: their sum less the difference of the scores. `baselines` has
  /// the images' shape.
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images, const Tensor<B>& baselines,
                                            std::span<const Index> classes) const {
    require<ShapeError>(baselines.shape() == images.shape(), "integrated gradients: images ", images.shape(),
                        ", baselines ", baselines.shape());
    const Nodes line = nodes(rule, steps);
    const NoRecord no_record;
    const Var<B> start = baselines, way = Var<B>(images) - start;
    Var<B> mean = Tensor<B>(images.shape(), 0);
    for (std::size_t i = 0; i < line.at.size(); ++i) {
      const auto at = static_cast<typename B::scalar>(line.at[i]),
                 weight = static_cast<typename B::scalar>(line.weight[i]);
      mean = mean + Var<B>(score_gradient(net, (start + way * at).value(), classes)) * weight;
    }
    Attribution<B> out{(way * mean).value(), {}};
    out.residual = row_sums(out.values);
    const std::vector<double> to = class_scores(net, images, classes), from = class_scores(net, baselines, classes);
    for (std::size_t i = 0; i < to.size(); ++i) out.residual[i] -= to[i] - from[i];
    return out;
  }
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    return attributions(net, images, Tensor<B>(images.shape(), static_cast<typename B::scalar>(baseline)), classes);
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

/// Normal noise on a picture. It depends on the seed and on the number of the sample alone, so a picture is explained
/// in a batch as it is alone.
struct Noise {
  Index samples = 25;
  double share = 0.15;                             ///< standard deviation as a share of the picture's range
  std::optional<double> deviation = std::nullopt;  ///< as a number, in place of the share (Captum: 1)
  Seed seed{};

  /// Calls visit(gradient) for every noisy copy of the images.
  template <class Net, Backend B>
  void gradients(const Net& net, const Tensor<B>& images, std::span<const Index> classes,
                 const FunctionRef<void(const Tensor<B>& gradient)>& visit) const {
    using S = typename B::scalar;
    require<OptionError>(samples >= 1 && share >= 0 && deviation.value_or(0) >= 0, "noise: ", samples,
                         " samples, share ", share, ", deviation ", deviation.value_or(0), ": expected none below 0");
    const Index n = images.dim(0), size = images.size() / std::max<Index>(n, 1);
    std::vector<S> scale;
    for (Index i = 0; i < n; ++i) {
      const auto [low, high] = std::minmax_element(images.data() + i * size, images.data() + (i + 1) * size);
      scale.push_back(static_cast<S>(deviation ? *deviation : share * static_cast<double>(*high - *low)));
    }
    for (Index sample = 0; sample < samples; ++sample) {
      Random random(seed, "noise", sample);
      Tensor<B> noisy = images.clone();
      for (Index p = 0; p < size; ++p) {
        const S z = static_cast<S>(random.normal());
        for (Index i = 0; i < n; ++i) noisy.data()[i * size + p] += scale[static_cast<std::size_t>(i)] * z;
      }
      visit(score_gradient(net, noisy, classes));
    }
  }
};

/// SmoothGrad (Smilkov et al. 2017): the mean gradient of noisy copies.
struct SmoothGrad {
  static constexpr const char* name = "SmoothGrad";
  static constexpr bool probability = false;
  Noise noise = {};

  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    using S = typename B::scalar;
    Tensor<B> mean(images.shape(), 0);
    noise.gradients<Net, B>(net, images, classes, [&](const Tensor<B>& g) {
      for (Index i = 0; i < mean.size(); ++i) mean.data()[i] += g.data()[i] / static_cast<S>(noise.samples);
    });
    return {mean};
  }
  /// The sum of the absolute values over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::absolute);
  }
};

/// VarGrad (Adebayo et al. 2018): the variance of the gradients of noisy copies, divided by their number.
struct VarGrad {
  static constexpr const char* name = "VarGrad";
  static constexpr bool probability = false;
  Noise noise = {};

  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    using S = typename B::scalar;
    Tensor<B> mean(images.shape(), 0), squares(images.shape(), 0);  // Welford
    Index seen = 0;
    noise.gradients<Net, B>(net, images, classes, [&](const Tensor<B>& g) {
      ++seen;
      for (Index i = 0; i < mean.size(); ++i) {
        const S away = g.data()[i] - mean.data()[i];
        mean.data()[i] += away / static_cast<S>(seen);
        squares.data()[i] += away * (g.data()[i] - mean.data()[i]);
      }
    });
    for (auto& v : squares.span()) v /= static_cast<S>(noise.samples);
    return {squares};
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

}  // namespace limn::explain

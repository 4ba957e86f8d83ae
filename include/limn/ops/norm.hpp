// Batch normalisation (Ioffe and Szegedy, 2015) over all axes but the last.
#pragma once

#include "limn/ops/reduce.hpp"

namespace limn {

template <Backend B>
struct BatchNormed {
  Var<B> y;
  Tensor<B> mean, variance;  ///< of the batch, (c); the variance is the biased one
};

namespace detail {
template <Backend B>
void check_channels(const char* what, const Shape& x, std::initializer_list<const Tensor<B>*> of_channels) {
  require<ShapeError>(x.rank() >= 2 && x.size() > 0, what, ": expected (..., c) with elements, got ", x);
  for (const auto* t : of_channels)
    require<ShapeError>(t->shape() == Shape{x.back()}, what, ": input ", x, " has ", x.back(),
                        " channels, a parameter has shape ", t->shape());
}
}  // namespace detail

/// Normalises by the statistics of the batch; also gives these statistics.
template <Backend B>
[[nodiscard]] BatchNormed<B> batch_norm(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta,
                                        typename B::scalar eps = 1e-5f) {
  detail::check_channels<B>("batch_norm", x.shape(), {&gamma.value(), &beta.value()});
  require<ShapeError>(x.size() > x.shape().back(), "batch_norm: one value per channel (input ", x.shape(),
                      ") has no variance; use a larger batch");
  const auto [mean, variance] = kernel::moments(x.value());
  auto y = kernel::normalise(x.value(), mean, variance, gamma.value(), beta.value(), eps);
  const auto composed = [eps](const std::vector<Var<B>>& in) {
    std::vector<int> axes;
    for (int axis = 0; axis + 1 < in[0].rank(); ++axis) axes.push_back(axis);
    const Var<B> centred = in[0] - limn::mean(in[0], axes);
    return centred * pow(limn::mean(square(centred), axes) + eps, typename B::scalar(-0.5)) * in[1] + in[2];
  };
  Var<B> out =
      record_joint<B>("batch_norm", std::move(y), {&x, &gamma, &beta}, [=, m = mean, v = variance](const Var<B>& g) {
        if (is_recording()) return differentiate<B>(composed, {x, gamma, beta}, g);
        auto d = kernel::batch_norm_gradient(g.value(), x.value(), m, v, gamma.value(), eps);
        return std::vector<Var<B>>{d.x, d.gamma, d.beta};
      });
  return {std::move(out), mean, variance};
}

/// Normalises by given statistics, which are constants: evaluation, frozen layers.
template <Backend B>
[[nodiscard]] Var<B> batch_norm(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta, const Tensor<B>& mean,
                                const Tensor<B>& variance, typename B::scalar eps = 1e-5f) {
  using S = typename B::scalar;
  detail::check_channels<B>("batch_norm", x.shape(), {&gamma.value(), &beta.value(), &mean, &variance});
  const Var<B> inverse = pow(Var<B>(variance) + eps, S(-0.5));
  return record(
      "batch_norm", kernel::normalise(x.value(), mean, variance, gamma.value(), beta.value(), eps),
      from(x, [inverse, gamma](const Var<B>& g) { return g * (inverse * gamma); }),
      from(gamma,
           [x, mean, inverse](const Var<B>& g) { return sum_to(g * ((x - Var<B>(mean)) * inverse), inverse.shape()); }),
      from(beta, [s = beta.shape()](const Var<B>& g) { return sum_to(g, s); }));
}

}  // namespace limn

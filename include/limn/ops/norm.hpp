// Batch normalisation (Ioffe and Szegedy, 2015) over all axes but the last.
#pragma once

#include "limn/ops/activation.hpp"
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

namespace detail {
/// Batch norm composed of other operations: x, gamma, beta.
template <Backend B>
Var<B> composed_batch_norm(const std::vector<Var<B>>& in, typename B::scalar eps) {
  std::vector<int> axes;
  for (int axis = 0; axis + 1 < in[0].rank(); ++axis) axes.push_back(axis);
  const Var<B> centred = in[0] - limn::mean(in[0], axes);
  return centred * pow(limn::mean(square(centred), axes) + eps, typename B::scalar(-0.5)) * in[1] + in[2];
}

/// relu(batch norm of x + add) or, with `plain`, the batch norm alone.
template <Backend B>
BatchNormed<B> batch_norm(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta, const Var<B>& add, bool plain,
                          typename B::scalar eps) {
  const char* const name = plain ? "batch_norm" : "batch_norm_relu";
  check_channels<B>(name, x.shape(), {&gamma.value(), &beta.value()});
  require<ShapeError>(x.size() > x.shape().back(), name, ": one value per channel (input ", x.shape(),
                      ") has no variance; use a larger batch");
  require<ShapeError>(add.empty() || add.shape() == x.shape(), name, ": cannot add ", add.shape(), " to ", x.shape());
  const auto [mean, variance] = kernel::moments(x.value());
  auto y = kernel::normalise(x.value(), kernel::scale_and_shift(mean, variance, gamma.value(), beta.value(), eps),
                             !plain, add.value());
  const auto composed = [eps, plain](const std::vector<Var<B>>& in) {
    Var<B> normed = composed_batch_norm<B>(in, eps);
    if (plain) return normed;
    return relu(in.size() > 3 ? normed + in[3] : normed);
  };
  std::vector<Var<B>> inputs{x, gamma, beta};
  if (!add.empty()) inputs.push_back(add);
  const Var<B>* const all[] = {&x, &gamma, &beta, &add};
  const Tensor<B> positive = plain ? Tensor<B>() : y;
  Var<B> out =
      record_joint<B>(name, std::move(y), std::span(all, inputs.size()), [=, m = mean, v = variance](const Var<B>& g) {
        if (is_recording()) return differentiate<B>(composed, inputs, g);
        auto d = kernel::batch_norm_gradient(g.value(), inputs[0].value(), m, v, inputs[1].value(), eps, positive,
                                             inputs.size() > 3);
        return std::vector<Var<B>>{d.x, d.gamma, d.beta, d.add};
      });
  return {std::move(out), mean, variance};
}
}  // namespace detail

/// Normalises by the statistics of the batch; also gives these statistics.
template <Backend B>
[[nodiscard]] BatchNormed<B> batch_norm(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta,
                                        typename B::scalar eps = 1e-5f) {
  return detail::batch_norm(x, gamma, beta, Var<B>(), true, eps);
}

/// relu(batch_norm(x, gamma, beta) + add) in one operation, which reads and writes half as much; an empty `add` is left
/// out. While rules are recorded (RecordForRules) it is recorded as the operations that it stands for.
template <Backend B>
[[nodiscard]] BatchNormed<B> batch_norm_relu(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta,
                                             const Var<B>& add = {}, typename B::scalar eps = 1e-5f) {
  if (!detail::recording().keep) return detail::batch_norm(x, gamma, beta, add, false, eps);
  BatchNormed<B> out = batch_norm(x, gamma, beta, eps);
  out.y = relu(add.empty() ? out.y : out.y + add);
  return out;
}

/// Normalises by given statistics, which are constants: evaluation, frozen layers.
template <Backend B>
[[nodiscard]] Var<B> batch_norm(const Var<B>& x, const Var<B>& gamma, const Var<B>& beta, const Tensor<B>& mean,
                                const Tensor<B>& variance, typename B::scalar eps = 1e-5f) {
  using S = typename B::scalar;
  detail::check_channels<B>("batch_norm", x.shape(), {&gamma.value(), &beta.value(), &mean, &variance});
  const Var<B> inverse = pow(Var<B>(variance) + eps, S(-0.5));
  return on_other_inputs(
      record("batch_norm",
             kernel::normalise(x.value(), kernel::scale_and_shift(mean, variance, gamma.value(), beta.value(), eps)),
             from(x, [inverse, gamma](const Var<B>& g) { return g * (inverse * gamma); }),
             from(gamma, [x, mean, inverse](
                             const Var<B>& g) { return sum_to(g * ((x - Var<B>(mean)) * inverse), inverse.shape()); }),
             from(beta, [s = beta.shape()](const Var<B>& g) { return sum_to(g, s); })),
      [mean, variance, eps](const std::vector<Var<B>>& in) {
        return batch_norm(in[0], in[1], in[2], mean, variance, eps);
      });
}

}  // namespace limn

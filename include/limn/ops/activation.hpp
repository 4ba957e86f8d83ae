// Nonlinear functions of one variable, and softmax.
#pragma once

#include "limn/ops/reduce.hpp"

namespace limn {

/// max(x, 0); its derivative at 0 is 0.
template <Backend B>
[[nodiscard]] Var<B> relu(const Var<B>& x) {
  return record("relu", kernel::elementwise(functor::Relu{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) {
                  if (!is_recording())
                    return Var<B>(kernel::elementwise(functor::ReluGradient{}, y.shape(), g.value(), y.value()));
                  return g * Var<B>(kernel::elementwise(functor::Step{}, y.shape(), y.value()));
                }));
}

/// 1 / (1 + exp(-x))
template <Backend B>
[[nodiscard]] Var<B> sigmoid(const Var<B>& x) {
  return record("sigmoid", kernel::elementwise(functor::Sigmoid{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) {
                  if (!is_recording())
                    return Var<B>(kernel::elementwise(functor::SigmoidGradient{}, y.shape(), g.value(), y.value()));
                  return g * (y - y * y);
                }));
}

template <Backend B>
[[nodiscard]] Var<B> tanh(const Var<B>& x) {
  return record("tanh", kernel::elementwise(functor::Tanh{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) { return g - g * y * y; }));
}

/// ln(1 + exp(x)), finite for any finite x. -ln(sigmoid(x)) is softplus(-x), -ln(1 - sigmoid(x)) is softplus(x).
template <Backend B>
[[nodiscard]] Var<B> softplus(const Var<B>& x) {
  return record("softplus", kernel::elementwise(functor::Softplus{}, x.shape(), x.value()),
                from(x, [x](const Var<B>& g) { return g * sigmoid(x); }));
}

/// Probabilities along the last axis.
template <Backend B>
[[nodiscard]] Var<B> softmax(const Var<B>& x) {
  require<ShapeError>(x.rank() > 0 && x.shape().back() > 0, "softmax: empty last axis in ", x.shape());
  return record("softmax", kernel::softmax(x.value()), from(x, [](const Var<B>& g, const Var<B>& y) {
                  const Var<B> gy = g * y;
                  return gy - y * sum(gy, {-1});
                }));
}

/// ln(softmax(x)) along the last axis, without rounding small probabilities to 0.
template <Backend B>
[[nodiscard]] Var<B> log_softmax(const Var<B>& x) {
  require<ShapeError>(x.rank() > 0 && x.shape().back() > 0, "log_softmax: empty last axis in ", x.shape());
  return record("log_softmax", kernel::log_softmax(x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) { return g - exp(y) * sum(g, {-1}); }));
}

}  // namespace limn

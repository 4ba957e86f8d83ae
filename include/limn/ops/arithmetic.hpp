// Arithmetic on Var, element by element, with broadcasting; and map, by which users write their own functions.
#pragma once

#include "limn/autograd/grad.hpp"

namespace limn {

template <Backend B>
[[nodiscard]] Var<B> repeat_to(const Var<B>& x, const Shape& shape);

/// Sums over every axis in which `shape` has extent 1 (or that it lacks in front). The adjoint of repeat_to.
template <Backend B>
[[nodiscard]] Var<B> sum_to(const Var<B>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require<ShapeError>(broadcast("sum_to", x.shape(), shape) == x.shape(), "sum_to: ", x.shape(),
                      " cannot be summed to ", shape);
  return record("sum_to", kernel::sum_to(x.value(), shape),
                from(x, [from_shape = x.shape()](const Var<B>& g) { return repeat_to(g, from_shape); }));
}

/// Repeats x along axes in which it has extent 1 (or that it lacks in front).
template <Backend B>
Var<B> repeat_to(const Var<B>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require<ShapeError>(broadcast("repeat_to", x.shape(), shape) == shape, "repeat_to: ", x.shape(),
                      " cannot be repeated to ", shape);
  return record("repeat_to", kernel::repeat_to(x.value(), shape),
                from(x, [to = x.shape()](const Var<B>& g) { return sum_to(g, to); }));
}

/// y = f(x) for every element. f is a functor of one number, written once for all back ends (LIMN_HD);
/// `derivative` gives f'(x) as a Var, so it can be differentiated again.
template <Backend B, class F, class D>
[[nodiscard]] Var<B> map(F f, const Var<B>& x, D derivative, const char* name = "map") {
  return record(name, kernel::elementwise(f, x.shape(), x.value()),
                from(x, [x, derivative](const Var<B>& g) { return g * derivative(x); }));
}

template <Backend B>
[[nodiscard]] Var<B> operator+(const Var<B>& a, const Var<B>& b) {
  const Shape shape = broadcast("add", a.shape(), b.shape());
  return record("add", kernel::elementwise(functor::Add{}, shape, a.value(), b.value()),
                from(a, [s = a.shape()](const Var<B>& g) { return sum_to(g, s); }),
                from(b, [s = b.shape()](const Var<B>& g) { return sum_to(g, s); }));
}

template <Backend B>
[[nodiscard]] Var<B> operator-(const Var<B>& x) {
  return record("negate", kernel::elementwise(functor::Negate{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g) { return -g; }));
}

template <Backend B>
[[nodiscard]] Var<B> operator-(const Var<B>& a, const Var<B>& b) {
  const Shape shape = broadcast("subtract", a.shape(), b.shape());
  return record("subtract", kernel::elementwise(functor::Subtract{}, shape, a.value(), b.value()),
                from(a, [s = a.shape()](const Var<B>& g) { return sum_to(g, s); }),
                from(b, [s = b.shape()](const Var<B>& g) { return sum_to(-g, s); }));
}

template <Backend B>
[[nodiscard]] Var<B> operator*(const Var<B>& a, const Var<B>& b) {
  const Shape shape = broadcast("multiply", a.shape(), b.shape());
  return record("multiply", kernel::elementwise(functor::Multiply{}, shape, a.value(), b.value()),
                from(a, [b, s = a.shape()](const Var<B>& g) { return sum_to(g * b, s); }),
                from(b, [a, s = b.shape()](const Var<B>& g) { return sum_to(g * a, s); }));
}

template <Backend B>
[[nodiscard]] Var<B> operator/(const Var<B>& a, const Var<B>& b) {
  const Shape shape = broadcast("divide", a.shape(), b.shape());
  return record("divide", kernel::elementwise(functor::Divide{}, shape, a.value(), b.value()),
                from(a, [b, s = a.shape()](const Var<B>& g) { return sum_to(g / b, s); }),
                from(b, [a, b](const Var<B>& g) { return sum_to(-g * a / (b * b), b.shape()); }));
}

template <Backend B>
[[nodiscard]] Var<B> operator+(const Var<B>& x, typename B::scalar s) {
  return record("add_scalar", kernel::elementwise(functor::AddScalar<typename B::scalar>{s}, x.shape(), x.value()),
                from(x, [](const Var<B>& g) { return g; }));
}
template <Backend B>
[[nodiscard]] Var<B> operator*(const Var<B>& x, typename B::scalar s) {
  return record("scale", kernel::elementwise(functor::Scale<typename B::scalar>{s}, x.shape(), x.value()),
                from(x, [s](const Var<B>& g) { return g * s; }));
}
template <Backend B>
[[nodiscard]] Var<B> operator+(typename B::scalar s, const Var<B>& x) {
  return x + s;
}
template <Backend B>
[[nodiscard]] Var<B> operator-(const Var<B>& x, typename B::scalar s) {
  return x + (-s);
}
template <Backend B>
[[nodiscard]] Var<B> operator-(typename B::scalar s, const Var<B>& x) {
  return -x + s;
}
template <Backend B>
[[nodiscard]] Var<B> operator*(typename B::scalar s, const Var<B>& x) {
  return x * s;
}
template <Backend B>
[[nodiscard]] Var<B> operator/(const Var<B>& x, typename B::scalar s) {
  return x * (typename B::scalar(1) / s);
}

/// x to a constant power; x > 0 unless the exponent is a whole number.
template <Backend B>
[[nodiscard]] Var<B> pow(const Var<B>& x, typename B::scalar exponent) {
  using S = typename B::scalar;
  return record("pow", kernel::elementwise(functor::Power<S>{exponent}, x.shape(), x.value()),
                from(x, [x, exponent](const Var<B>& g) {
                  if (exponent == S(0)) return Var<B>();  // zero, also where x^-1 is infinite
                  return g * (pow(x, exponent - S(1)) * exponent);
                }));
}

template <Backend B>
[[nodiscard]] Var<B> operator/(typename B::scalar s, const Var<B>& x) {
  return pow(x, typename B::scalar(-1)) * s;
}

template <Backend B>
[[nodiscard]] Var<B> square(const Var<B>& x) {
  return x * x;
}

template <Backend B>
[[nodiscard]] Var<B> exp(const Var<B>& x) {
  return record("exp", kernel::elementwise(functor::Exp{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) { return g * y; }));
}

/// Natural logarithm.
template <Backend B>
[[nodiscard]] Var<B> log(const Var<B>& x) {
  return record("log", kernel::elementwise(functor::Log{}, x.shape(), x.value()),
                from(x, [x](const Var<B>& g) { return g / x; }));
}

template <Backend B>
[[nodiscard]] Var<B> sqrt(const Var<B>& x) {
  return record("sqrt", kernel::elementwise(functor::Sqrt{}, x.shape(), x.value()),
                from(x, [](const Var<B>& g, const Var<B>& y) { return g / (y * typename B::scalar(2)); }));
}

/// |x|; its derivative at 0 is 0.
template <Backend B>
[[nodiscard]] Var<B> abs(const Var<B>& x) {
  return record("abs", kernel::elementwise(functor::Abs{}, x.shape(), x.value()), from(x, [x](const Var<B>& g) {
                  return g * Var<B>(kernel::elementwise(functor::Sign{}, x.shape(), x.value()));
                }));
}

/// The larger of both; where they are equal the gradient goes to b.
template <Backend B>
[[nodiscard]] Var<B> maximum(const Var<B>& a, const Var<B>& b) {
  const Shape shape = broadcast("maximum", a.shape(), b.shape());
  const Var<B> larger = kernel::elementwise(functor::Greater{}, shape, a.value(), b.value());
  return record("maximum", kernel::elementwise(functor::Maximum{}, shape, a.value(), b.value()),
                from(a, [larger, s = a.shape()](const Var<B>& g) { return sum_to(g * larger, s); }),
                from(b, [larger, s = b.shape()](const Var<B>& g) { return sum_to(g - g * larger, s); }));
}

}  // namespace limn

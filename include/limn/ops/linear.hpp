// Matrix products.
#pragma once

#include "limn/ops/arithmetic.hpp"
#include "limn/ops/layout.hpp"

namespace limn {

/// How matmul reads its operands.
struct Transposed {
  bool a = false, b = false;
};

/// The product of two matrices, each transposed first if asked.
template <Backend B>
[[nodiscard]] Var<B> matmul(const Var<B>& a, const Var<B>& b, Transposed t = {}) {
  require<ShapeError>(a.rank() == 2 && b.rank() == 2, "matmul: expected matrices, got ", a.shape(), " and ", b.shape());
  require<ShapeError>(a.dim(t.a ? 0 : 1) == b.dim(t.b ? 1 : 0), "matmul: shapes ", a.shape(),
                      t.a ? " (transposed)" : "", " and ", b.shape(), t.b ? " (transposed)" : "",
                      " do not go together");
  return record("matmul", kernel::matmul(a.value(), t.a, b.value(), t.b),
                from(a,
                     [b, t](const Var<B>& g) {
                       return t.a ? matmul(b, g, {t.b, true}) : matmul(g, b, {false, !t.b});
                     }),
                from(b, [a, t](const Var<B>& g) {
                  return t.b ? matmul(g, a, {true, t.a}) : matmul(a, g, {!t.a, false});
                }));
}

/// x (..., in), weight (out, in) -> (..., out): every feature vector along the last axis.
template <Backend B>
[[nodiscard]] Var<B> linear(const Var<B>& x, const Var<B>& weight) {
  require<ShapeError>(x.rank() >= 1 && weight.rank() == 2 && x.shape().back() == weight.dim(1), "linear: input ",
                      x.shape(), " ends with ", x.rank() > 0 ? x.shape().back() : 0, " features, expected ",
                      weight.rank() == 2 ? weight.dim(1) : 0);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = weight.dim(0);
  const auto rows = [](const Var<B>& v) { return reshape(v, {-1, v.shape().back()}); };
  return on_other_inputs(
      record("linear",
             kernel::matmul(x.value().reshape({-1, weight.dim(1)}), false, weight.value(), true).reshape(shape),
             from(x, [weight, rows, s = x.shape()](const Var<B>& g) { return reshape(matmul(rows(g), weight), s); }),
             from(weight, [x, rows](const Var<B>& g) { return matmul(rows(g), rows(x), {.a = true}); })),
      [](const std::vector<Var<B>>& in) { return linear(in[0], in[1]); });
}

}  // namespace limn

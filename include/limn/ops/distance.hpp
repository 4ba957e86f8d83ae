// Lengths and distances of feature vectors.
#pragma once

#include "limn/ops/reduce.hpp"

namespace limn {

/// Every vector along the last axis divided by its length; one that is shorter than 1e-6 by that.
template <Backend B>
[[nodiscard]] Var<B> unit_length(const Var<B>& x) {
  const Var<B> least = Tensor<B>(Shape{1}, typename B::scalar(1e-12));
  return x / sqrt(maximum(sum(square(x), {-1}), least));
}

/// Squared Euclidean distances between the rows of two matrices: (n, d), (m, d) -> (n, m).
template <Backend B>
[[nodiscard]] Var<B> squared_distances(const Var<B>& x, const Var<B>& y) {
  require<ShapeError>(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1),
                      "squared_distances: expected matrices with rows of one length, got ", x.shape(), " and ",
                      y.shape());
  const Index n = x.dim(0), m = y.dim(0), d = x.dim(1);
  return reshape(sum(square(reshape(x, {n, 1, d}) - reshape(y, {1, m, d})), {-1}), {n, m});
}

}  // namespace limn

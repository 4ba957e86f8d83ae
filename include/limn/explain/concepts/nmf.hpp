// Non-negative matrix factorisation: X (n, c) is nearly U W, with weights U (n, r) and components W (r, c), and no
// number is negative. Coordinate descent on |X - U W|^2 / 2 (Cichocki and Phan 2009) from NNDSVDa (Boutsidis and
// Gallopoulos 2008): the solver, the start and the end of scikit-learn's NMF.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "limn/backend/kernels.hpp"

namespace limn::explain {

struct NmfOptions {
  Index rounds = 200;  ///< at most
  /// It ends where the projected gradients of a round add up to this share of those of the first round.
  double tolerance = 1e-4;
};

struct Factors {
  Tensor<CpuDouble> weights, components;  ///< (n, r), (r, c)
  Index rounds = 0;                       ///< that led to them
};

namespace detail {

/// A row of U on its way to the optimum for a W that stays: the numbers, and the slopes of |x - u W|^2 / 2 there.
struct Descent {
  using Vector = Eigen::Map<Eigen::ArrayXd>;
  Vector row, slope;
  Eigen::Map<const Eigen::ArrayXXd> gram;  // W W^T (r, r), symmetric

  /// `target`: the row of X W^T; its memory becomes that of the slopes.
  Descent(double* numbers, double* target, const double* products, Index r)
      : row(numbers, r), slope(target, r), gram(products, r, r) {
    slope = -slope;
    for (Index k = 0; k < r; ++k)
      if (row[k] != 0) slope += row[k] * gram.col(k);
  }

  /// Each number in turn gets the value that is best while the others stay. Returns how far the row was from an
  /// optimum.
  double round() {
    double violation = 0;
    for (Index t = 0; t < row.size(); ++t) {
      violation += row[t] == 0 ? std::max(-slope[t], 0.0) : std::abs(slope[t]);
      if (gram(t, t) == 0) continue;
      const double before = row[t];
      row[t] = std::max(before - slope[t] / gram(t, t), 0.0);
      if (row[t] != before) slope += (row[t] - before) * gram.col(t);
    }
    return violation;
  }
};

/// One round for all rows (n, r). `targets`: X W^T; it is overwritten.
inline double descend(Tensor<CpuDouble>& rows, Tensor<CpuDouble> targets, const Tensor<CpuDouble>& gram) {
  constexpr Index piece = 64;
  const Index r = rows.dim(1);
  std::vector<double> violation(static_cast<std::size_t>((rows.dim(0) + piece - 1) / piece), 0.0);
  parallel_pieces(rows.dim(0), piece, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      violation[static_cast<std::size_t>(begin / piece)] +=
          Descent(rows.data() + i * r, targets.data() + i * r, gram.data(), r).round();
  });
  return std::accumulate(violation.begin(), violation.end(), 0.0);
}

inline void require_matrix(const Tensor<CpuDouble>& x) {
  require<ShapeError>(x.rank() == 2 && x.size() > 0, "NMF: expected a matrix (n, c), got ", x.shape());
  for (Index i = 0; i < x.size(); ++i)
    require(x.data()[i] >= 0 && std::isfinite(x.data()[i]), "NMF: expected numbers of 0 or more, got ", x.data()[i],
            " in row ", i / x.dim(1), ", column ", i % x.dim(1));
}

}  // namespace detail

/// The start: of each of the r largest singular pairs of X (n, c) the larger one of its positive and its negative part,
/// and the mean of X wherever that is 0. Throws OptionError unless r is 1 to min(n, c).
[[nodiscard, gnu::cold]] inline Factors nndsvda(const Tensor<CpuDouble>& x, Index r) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  detail::require_matrix(x);
  const Index n = x.dim(0), c = x.dim(1), side = std::min(n, c);
  require<OptionError>(r >= 1 && r <= side, "NMF: ", r, " components of a matrix ", x.shape(), ", expected 1 to ",
                       side);
  const bool tall = n >= c;
  const Tensor<CpuDouble> gram = kernel::matmul(x, tall, x, !tall);  // (side, side): X^T X or X X^T
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(Eigen::Map<const Matrix>(gram.data(), side, side));
  require(solver.info() == Eigen::Success, "NMF: the singular vectors of the matrix were not found");
  Tensor<CpuDouble> one(Shape{side, r});  // the vectors on the shorter side of X, the largest first
  for (Index i = 0; i < side; ++i)
    for (Index j = 0; j < r; ++j) one.data()[i * r + j] = solver.eigenvectors()(i, side - 1 - j);
  const Tensor<CpuDouble> other = kernel::matmul(x, !tall, one, false);  // times the singular value
  double mean = 0;
  for (Index i = 0; i < x.size(); ++i) mean += x.data()[i] / static_cast<double>(x.size());

  Factors out{Tensor<CpuDouble>(Shape{n, r}, mean), Tensor<CpuDouble>(Shape{r, c}, mean)};
  const double largest = std::sqrt(std::max(solver.eigenvalues()(side - 1), 0.0));
  for (Index j = 0; j < r; ++j) {
    const double singular = std::sqrt(std::max(solver.eigenvalues()(side - 1 - j), 0.0));
    if (singular <= 1e-7 * largest) break;  // the rank of X is smaller, and what is left is rounding
    const auto u = [&](Index i) { return tall ? other.data()[i * r + j] / singular : one.data()[i * r + j]; };
    const auto w = [&](Index k) { return tall ? one.data()[k * r + j] : other.data()[k * r + j] / singular; };
    double length_u[2] = {0, 0}, length_w[2] = {0, 0};  // of the positive and the negative parts
    for (Index i = 0; i < n; ++i) length_u[u(i) < 0] += u(i) * u(i);
    for (Index k = 0; k < c; ++k) length_w[w(k) < 0] += w(k) * w(k);
    const bool below = length_u[0] * length_w[0] <= length_u[1] * length_w[1];
    const double sign = below ? -1 : 1;
    const double of_u = std::sqrt(length_u[below]), of_w = std::sqrt(length_w[below]);
    const double size = std::sqrt(singular * of_u * of_w);
    constexpr double tiny = 1e-6;  // counts as 0
    for (Index i = 0; i < n; ++i)
      if (const double v = size * sign * u(i) / of_u; v >= tiny) out.weights.data()[i * r + j] = v;
    for (Index k = 0; k < c; ++k)
      if (const double v = size * sign * w(k) / of_w; v >= tiny) out.components.data()[j * c + k] = v;
  }
  return out;
}

/// Factors of X (n, c), from these on. Error where X holds a negative number or one that is not finite.
[[nodiscard, gnu::cold]] inline Factors nmf(const Tensor<CpuDouble>& x, const Factors& start,
                                            const NmfOptions& options = {}) {
  detail::require_matrix(x);
  const Index r = start.weights.dim(1);
  require<ShapeError>(start.weights.shape() == Shape{x.dim(0), r} && start.components.shape() == Shape{r, x.dim(1)},
                      "NMF: a start of ", start.weights.shape(), " and ", start.components.shape(), " for a matrix ",
                      x.shape());
  require<OptionError>(options.rounds >= 1 && options.tolerance >= 0, "NMF: ", options.rounds, " rounds, tolerance ",
                       options.tolerance, ": expected 1 or more and 0 or more");
  using kernel::matmul;
  Factors out{start.weights.clone(), {}};
  Tensor<CpuDouble>& u = out.weights;
  Tensor<CpuDouble> columns = kernel::detail::transposed(start.components);  // (c, r)
  double first = 0;
  for (; out.rounds < options.rounds; ++out.rounds) {
    double violation = detail::descend(u, matmul(x, false, columns, false), matmul(columns, true, columns, false));
    violation += detail::descend(columns, matmul(x, true, u, false), matmul(u, true, u, false));
    if (out.rounds == 0) first = violation;
    if (violation <= options.tolerance * first) {
      ++out.rounds;
      break;
    }
  }
  out.components = kernel::detail::transposed(columns);
  return out;
}

/// The weights (n, r) of the rows of X (n, c) for components (r, c) that stay. Every row ends by itself, so it does not
/// depend on the rows beside it.
[[nodiscard, gnu::cold]] inline Tensor<CpuDouble> nmf_weights(const Tensor<CpuDouble>& x,
                                                              const Tensor<CpuDouble>& components,
                                                              const NmfOptions& options = {1000, 1e-6}) {
  detail::require_matrix(x);
  require<ShapeError>(components.rank() == 2 && components.dim(1) == x.dim(1), "NMF: components ", components.shape(),
                      " for a matrix ", x.shape());
  const Index r = components.dim(0);
  Tensor<CpuDouble> targets = kernel::matmul(x, false, components, true);
  const Tensor<CpuDouble> gram = kernel::matmul(components, false, components, true);
  Tensor<CpuDouble> out(Shape{x.dim(0), r}, 0);
  parallel_pieces(x.dim(0), 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      detail::Descent descent(out.data() + i * r, targets.data() + i * r, gram.data(), r);
      const double first = descent.round();
      for (Index round = 1; round < options.rounds; ++round)
        if (descent.round() <= options.tolerance * first) break;
    }
  });
  return out;
}

}  // namespace limn::explain

// Gradient checks by central differences in double precision: for the library's operations and for its users'.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "limn/autograd/grad.hpp"
#include "limn/core/random.hpp"

namespace limn {

/// A function of several variables with several results.
using Differentiable = std::function<std::vector<Var<CpuDouble>>(const std::vector<Var<CpuDouble>>&)>;

struct CheckOptions {
  double step = 1e-5;       ///< of the central difference
  double tolerance = 1e-6;  ///< of |analytic - numeric| / max(1, |analytic|, |numeric|)
  Seed seed{1};
  Index most = 60;  ///< elements tried per input, chosen at random when there are more
};

/// What a check found: the largest error and where.
struct CheckResult {
  double error = 0;
  std::string where;
  [[nodiscard]] bool operator()(double tolerance) const { return error <= tolerance; }
};

namespace detail {

inline Tensor<CpuDouble> random_like(const Shape& shape, Random& random) {
  Tensor<CpuDouble> out(shape);
  for (double& v : out.span()) v = random.normal();
  return out;
}

/// sum over outputs of <u, y>
inline double weighted(const std::vector<Var<CpuDouble>>& y, const std::vector<Var<CpuDouble>>& u) {
  double sum = 0;
  for (std::size_t k = 0; k < y.size(); ++k)
    for (Index i = 0; i < y[k].size(); ++i) sum += y[k].value().data()[i] * u[k].value().data()[i];
  return sum;
}

/// The gradient of f, as a function of its inputs followed by the upstream gradients of its outputs.
inline Differentiable derivative_of(Differentiable f, std::size_t inputs) {
  return [f = std::move(f), inputs](const std::vector<Var<CpuDouble>>& all) {
    const std::vector<Var<CpuDouble>> x(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(inputs));
    const std::vector<Var<CpuDouble>> u(all.begin() + static_cast<std::ptrdiff_t>(inputs), all.end());
    return grad(f(x), x, {.create_graph = true, .upstream = u});
  };
}

}  // namespace detail

/// Compares the gradient of f at x with central differences. Every input must be a tensor of ordinary numbers.
[[nodiscard]] inline CheckResult check_gradient(const Differentiable& f, const std::vector<Tensor<CpuDouble>>& at,
                                                const CheckOptions& options = {}) {
  Random random(options.seed);
  std::vector<Var<CpuDouble>> x;
  for (const auto& t : at) x.push_back(leaf(t.clone()));
  const auto y = f(x);
  std::vector<Var<CpuDouble>> u;
  for (const auto& v : y) u.emplace_back(detail::random_like(v.shape(), random));
  const auto analytic = grad(y, x, {.upstream = u});

  CheckResult worst;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Index n = x[k].size();
    for (Index i = 0; i < std::min(n, options.most); ++i) {
      const Index e = n <= options.most ? i : random.below(n);
      double& number = x[k].value().data()[e];
      const double centre = number;
      number = centre + options.step;
      const double up = detail::weighted(f(x), u);
      number = centre - options.step;
      const double down = detail::weighted(f(x), u);
      number = centre;
      const double numeric = (up - down) / (2 * options.step), exact = analytic[k].value().data()[e];
      const double error = std::abs(numeric - exact) / std::max({1.0, std::abs(numeric), std::abs(exact)});
      if (!(error <= worst.error))  // NaN counts as the worst
        worst = {error, text("input ", k, ", element ", e, ": gradient ", exact, ", by differences ", numeric)};
    }
  }
  return worst;
}

/// The same for the gradient of the gradient.
[[nodiscard]] inline CheckResult check_second_order(const Differentiable& f, const std::vector<Tensor<CpuDouble>>& at,
                                                    const CheckOptions& options = {}) {
  Random random(options.seed, "upstream");
  std::vector<Tensor<CpuDouble>> all = at;
  std::vector<Var<CpuDouble>> x;
  for (const auto& t : at) x.emplace_back(t);
  for (const auto& y : f(x)) all.push_back(detail::random_like(y.shape(), random));
  return check_gradient(detail::derivative_of(f, at.size()), all, options);
}

}  // namespace limn

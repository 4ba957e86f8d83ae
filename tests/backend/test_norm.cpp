// Sums over rows, and batch normalisation by them, against plain loops in double: numbers of channels that do and do
// not fill registers, numbers of rows on both sides of where blocks and groups of blocks end.
#include "limn/backend/cpu/norm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "limn/backend/cpu/reduce.hpp"
#include "limn/core/random.hpp"

using namespace limn;

namespace {

Tensor<Cpu> noise(Index rows, Index c, std::uint64_t seed, float mean) {
  Random random(Seed{seed});
  Tensor<Cpu> out(Shape{rows, c});
  for (float& v : out.span()) v = mean + static_cast<float>(random.normal());
  return out;
}

struct Exact {
  std::vector<double> mean, variance;

  explicit Exact(const Tensor<Cpu>& x) : mean(channels(x)), variance(channels(x)) {
    const Index rows = x.dim(0), c = x.dim(1);
    for (Index i = 0; i < x.size(); ++i) mean[static_cast<std::size_t>(i % c)] += x.data()[i] / double(rows);
    for (Index i = 0; i < x.size(); ++i) {
      const auto k = static_cast<std::size_t>(i % c);
      variance[k] += (x.data()[i] - mean[k]) * (x.data()[i] - mean[k]) / double(rows);
    }
  }
  static std::size_t channels(const Tensor<Cpu>& x) { return static_cast<std::size_t>(x.dim(1)); }
};

const std::vector<Index> channel_counts{1, 2, 3, 4, 5, 15, 16, 17, 64, 70, 260};

std::vector<Index> row_counts(Index c) {
  const Index block = kernel::detail::rows_of_block(c), group = kernel::detail::rows_of_group(c);
  return {1, 2, block - 1, block, block + 1, group, group + 1, 2 * group + 3};
}

}  // namespace

TEST_CASE("moments of every channel, also where the mean is a thousand times the deviation") {
  for (const Index c : channel_counts)
    for (const Index rows : row_counts(c))
      for (const float mean : {0.f, 1000.f}) {
        CAPTURE(c);
        CAPTURE(rows);
        CAPTURE(mean);
        const auto x = noise(rows, c, 41, mean);
        const Exact exact(x);
        const auto [m, v] = kernel::moments(x);
        double worst_mean = 0, worst_variance = 0;
        for (Index k = 0; k < c; ++k) {
          const auto i = static_cast<std::size_t>(k);
          worst_mean = std::max(worst_mean, std::abs(m.data()[k] - exact.mean[i]));
          worst_variance = std::max(worst_variance, std::abs(v.data()[k] - exact.variance[i]));
        }
        CHECK(worst_mean < 1e-6 * (1 + mean));
        CHECK(worst_variance < (mean > 0 ? 1e-4 : 1e-5));  // a mean of 1000 is itself rounded to 6e-5
      }
}

TEST_CASE("sums over rows lose nothing, wherever blocks and strips end") {
  for (const Index c : channel_counts)
    for (const Index rows : row_counts(c)) {
      CAPTURE(c);
      CAPTURE(rows);
      Tensor<Cpu> x(Shape{2, rows, c});
      for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 13 - 6);  // whole: sums are exact
      const auto y = kernel::sum_to(x, {2, 1, c});
      Index wrong = 0;
      for (Index k = 0; k < 2 * c; ++k) {
        float sum = 0;
        for (Index r = 0; r < rows; ++r) sum += x.data()[(k / c * rows + r) * c + k % c];
        wrong += y.data()[k] != sum;
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("the gradient of batch normalisation, with and without a ReLU after it") {
  constexpr float eps = 1e-5f;
  for (const Index c : channel_counts)
    for (const Index rows : row_counts(c))
      for (const bool relu : {false, true}) {
        if (rows < 3) continue;  // the variance may be next to nothing
        CAPTURE(c);
        CAPTURE(rows);
        CAPTURE(relu);
        const auto x = noise(rows, c, 42, .5f), g = noise(rows, c, 43, .2f);
        const auto kept = g;                                            // or the gradient would be written there
        const auto y = relu ? noise(rows, c, 44, 0.f) : Tensor<Cpu>();  // only its sign matters
        Tensor<Cpu> gamma(Shape{c});
        for (Index k = 0; k < c; ++k) gamma.data()[k] = 1 + static_cast<float>(k % 3);
        const auto [m, v] = kernel::moments(x);
        const auto found = kernel::batch_norm_gradient(g, x, m, v, gamma, eps, y);
        const Exact exact(x);
        double worst = 0, worst_gamma = 0, worst_beta = 0;
        for (Index k = 0; k < c; ++k) {
          const auto i = static_cast<std::size_t>(k);
          const double inverse = 1 / std::sqrt(exact.variance[i] + eps);
          double beta = 0, slope = 0;
          const auto up = [&](Index r) {
            return relu && !(y.data()[r * c + k] > 0) ? 0.0 : static_cast<double>(g.data()[r * c + k]);
          };
          const auto normed = [&](Index r) { return (x.data()[r * c + k] - exact.mean[i]) * inverse; };
          for (Index r = 0; r < rows; ++r) {
            beta += up(r);
            slope += up(r) * normed(r);
          }
          for (Index r = 0; r < rows; ++r) {
            const double dx = gamma.data()[k] * inverse * (up(r) - (beta + normed(r) * slope) / double(rows));
            worst = std::max(worst, std::abs(found.x.data()[r * c + k] - dx));
          }
          worst_beta = std::max(worst_beta, std::abs(found.beta.data()[k] - beta) / (1 + std::sqrt(double(rows))));
          worst_gamma = std::max(worst_gamma, std::abs(found.gamma.data()[k] - slope) / (1 + std::sqrt(double(rows))));
        }
        CHECK(worst < 2e-4);
        CHECK(worst_beta < 1e-5);
        CHECK(worst_gamma < 1e-5);
      }
}

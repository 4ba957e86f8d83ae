// Softmax and cross-entropy in float against sums in double, for rows that do and do not fill vector registers.
#include "limn/backend/cpu/softmax.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "limn/core/random.hpp"

using namespace limn;

namespace {

Tensor<Cpu> noise(const Shape& shape, float size) {
  Random random(Seed{31});
  Tensor<Cpu> out(shape);
  for (float& v : out.span()) v = size * static_cast<float>(random.normal());
  return out;
}

/// e^(x - shift) of a row in double, and the sum.
struct Row {
  std::vector<double> e;
  double sum = 0, shift;

  Row(const float* x, Index c) : shift(*std::max_element(x, x + c)) {
    for (Index k = 0; k < c; ++k) sum += e.emplace_back(std::exp(static_cast<double>(x[k]) - shift));
  }
};

Tensor<CpuOf<std::int32_t>> labels(Index rows, Index c) {
  Tensor<CpuOf<std::int32_t>> at(Shape{rows});
  for (Index r = 0; r < rows; ++r) at.data()[r] = static_cast<std::int32_t>(r * c + (7 * r + 3) % c);
  return at;
}

}  // namespace

TEST_CASE("softmax and cross-entropy agree with double, whatever the number of classes") {
  for (const Index c : {1, 2, 3, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 1000})
    for (const float size : {1.f, 8.f}) {
      CAPTURE(c);
      CAPTURE(size);
      constexpr Index n = 6;
      const auto x = noise({n, c}, size), p = kernel::softmax(x), log_p = kernel::log_softmax(x);
      const auto at = labels(n, c);
      const auto loss = kernel::cross_entropy(x, at);
      const auto dx = kernel::cross_entropy_gradient(Tensor<Cpu>(Shape{1}, 3.f), x, loss.rows, at);
      double worst = 0, worst_log = 0, worst_slope = 0, mean = 0;
      for (Index r = 0; r < n; ++r) {
        const Row row(x.data() + r * c, c);
        for (Index k = 0; k < c; ++k) {
          const Index i = r * c + k;
          const double exact = row.e[static_cast<std::size_t>(k)] / row.sum,
                       log_exact = static_cast<double>(x.data()[i]) - row.shift - std::log(row.sum);
          worst = std::max(worst, std::abs(p.data()[i] / exact - 1));
          worst_log = std::max(worst_log, std::abs(log_p.data()[i] - log_exact) / (1 + std::abs(log_exact)));
          const bool label = i == at.data()[r];
          worst_slope = std::max(worst_slope, std::abs(dx.data()[i] - 3 * (exact - (label ? 1 : 0)) / n));
          if (label) mean -= log_exact / n;
        }
      }
      // A difference of 50 is rounded to 2e-6, and so much is e to that power off.
      CHECK(worst < (size > 1 ? 1e-5 : 1e-6));
      CHECK(worst_log < 5e-7);
      CHECK(worst_slope < 2e-7);
      CHECK(std::abs(loss.mean.data()[0] - mean) < 2e-7 * (1 + std::abs(mean)));
    }
}

TEST_CASE("classes that are excluded by -infinity have no share") {
  constexpr float none = -std::numeric_limits<float>::infinity();
  const Tensor<Cpu> x(Shape{1, 5}, {none, 1.f, none, 1.f, none});
  const auto p = kernel::softmax(x);
  CHECK(std::vector<float>(p.data(), p.data() + 5) == std::vector<float>{0, .5f, 0, .5f, 0});
  CHECK(kernel::log_softmax(x).data()[0] == none);
  Tensor<CpuOf<std::int32_t>> at(Shape{1}, 1);
  const auto loss = kernel::cross_entropy(x, at);
  CHECK(loss.mean.data()[0] == doctest::Approx(std::log(2.0)));
  const auto dx = kernel::cross_entropy_gradient(Tensor<Cpu>(Shape{1}, 1.f), x, loss.rows, at);
  CHECK(std::vector<float>(dx.data(), dx.data() + 5) == std::vector<float>{0, -.5f, 0, .5f, 0});
}

TEST_CASE("one logit that is not a number makes its row not a number, and no other") {
  for (const Index c : {3, 40}) {
    auto x = noise({3, c}, 1.f);
    x.data()[c + 2] = std::numeric_limits<float>::quiet_NaN();
    const auto p = kernel::softmax(x);
    for (Index k = 0; k < c; ++k) {
      CHECK(std::isfinite(p.data()[k]));
      CHECK(std::isnan(p.data()[c + k]));
      CHECK(std::isfinite(p.data()[2 * c + k]));
    }
    CHECK(std::isnan(kernel::cross_entropy(x, labels(3, c)).mean.data()[0]));
  }
}

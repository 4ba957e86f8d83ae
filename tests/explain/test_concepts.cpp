// The parts of CRAFT: factorisation against scikit-learn, the Halton sequence against scipy (record_concepts.py), Sobol
// indices against their formulas for Ishigami's function.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "../nn/helpers.hpp"
#include "limn/explain/concepts/halton.hpp"
#include "limn/explain/concepts/nmf.hpp"
#include "limn/explain/concepts/sobol.hpp"
#include "recorded/attribution_net.hpp"
#include "recorded/concept_fixtures.hpp"

using namespace limn;
using namespace limn::testing;
namespace recorded = limn::recorded_concepts;

namespace {

using Matrix = Tensor<CpuDouble>;

Matrix positive_wave(const Shape& shape, double speed, double shift) {
  Matrix x = wave(shape, speed, 1, shift);
  for (double& v : x.span()) v = std::max(v, 0.0);
  return x;
}

double distance(const Matrix& x, const explain::Factors& f) {
  const Matrix y = kernel::matmul(f.weights, false, f.components, false);
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) sum += (x.data()[i] - y.data()[i]) * (x.data()[i] - y.data()[i]);
  return std::sqrt(sum);
}

template <std::size_t N, std::size_t M>
void check_factors(const Shape& shape, const double (&start_weights)[N], const double (&start_components)[M],
                   const double (&weights)[N], const double (&components)[M], const double (&end)[2]) {
  const Matrix x = positive_wave(shape, 1.7, 0.4);
  const explain::Factors start = explain::nndsvda(x, 3);
  CHECK(off(start.weights, start_weights) < 1e-10);
  CHECK(off(start.components, start_components) < 1e-10);
  const explain::Factors found = explain::nmf(x, start);
  CHECK(static_cast<double>(found.rounds) == end[0]);
  CHECK(distance(x, found) == doctest::Approx(end[1]).epsilon(1e-9));
  CHECK(off(found.weights, weights) < 1e-8);
  CHECK(off(found.components, components) < 1e-8);
  CHECK(distance(x, found) < 0.9 * distance(x, start));
}

}  // namespace

TEST_CASE("factors, their start and their end are scikit-learn's") {
  check_factors({12, 7}, recorded::tall_start_weights, recorded::tall_start_components, recorded::tall_weights,
                recorded::tall_components, recorded::tall_end);
  check_factors({5, 9}, recorded::wide_start_weights, recorded::wide_start_components, recorded::wide_weights,
                recorded::wide_components, recorded::wide_end);
}

TEST_CASE("weights for fixed components are scikit-learn's, row by row and solved to the end") {
  const auto check = [](Index columns, const auto& components, const auto& by_rows, const auto& solved) {
    const Matrix y = positive_wave({4, columns}, 0.9, 0.2), w(Shape{3, columns}, std::span<const double>(components));
    CHECK(off(explain::nmf_weights(y, w, {200, 1e-4}), by_rows) < 1e-8);
    CHECK(off(explain::nmf_weights(y, w, {20000, 0}), solved) < 1e-8);
    const Matrix usual = explain::nmf_weights(y, w);
    CHECK(off(usual, solved) < 1e-5);
    for (Index i = 0; i < y.dim(0); ++i)  // a row does not depend on the rows beside it
      CHECK(difference(explain::nmf_weights(picture(y, i), w), picture(usual, i)) < 1e-14);
  };
  check(7, recorded::tall_components, recorded::tall_transformed_rows, recorded::tall_transformed);
  check(9, recorded::wide_components, recorded::wide_transformed_rows, recorded::wide_transformed);
}

TEST_CASE("factors that were planted are found, and a matrix of lower rank or of zeros is no trouble") {
  // Rows that hold one component alone, and mixtures: such factors are unique but for their size.
  const Matrix w(Shape{2, 4}, {1, 2, 0, 0, 0, 0, 3, 1});
  const Matrix u(Shape{5, 2}, {2, 0, 0, 1, 1, 1, 3, 0.5, 0.2, 4});
  const Matrix x = kernel::matmul(u, false, w, false);
  const explain::Factors found = explain::nmf(x, explain::nndsvda(x, 2), {2000, 1e-12});
  CHECK(distance(x, found) < 1e-6);
  const double* first = found.components.data();
  const Index one = first[0] > first[2] ? 0 : 1;
  CHECK(found.components(one, 1) / found.components(one, 0) == doctest::Approx(2).epsilon(1e-5));
  CHECK(found.components(one, 2) == doctest::Approx(0).scale(1).epsilon(1e-5));
  CHECK(found.components(1 - one, 2) / found.components(1 - one, 3) == doctest::Approx(3).epsilon(1e-5));
  const explain::Factors more = explain::nmf(x, explain::nndsvda(x, 4));
  CHECK(distance(x, more) < 0.05);
  const Matrix zeros(Shape{4, 3}, 0);
  const explain::Factors none = explain::nmf(zeros, explain::nndsvda(zeros, 2));
  CHECK(distance(zeros, none) == 0);
  CHECK(same_bits(explain::nmf_weights(zeros, none.components), Matrix(Shape{4, 2}, 0)));
}

TEST_CASE("the Halton sequence is scipy's") {
  const Matrix all = explain::halton(40, 23);
  std::vector<double> some;
  for (const Index i : {0, 1, 2, 7, 39}) some.insert(some.end(), all.data() + i * 23, all.data() + (i + 1) * 23);
  CHECK(off(std::span<const double>(some), recorded::halton) < 1e-12);
  CHECK(all(5, 0) == 0.625);  // 101 in base 2, behind the point and in reverse
  CHECK(all(5, 22) == 5. / 83);
}

TEST_CASE("total Sobol indices of Ishigami's function are those of its formula") {
  const double a = 7, b = 0.1, pi = std::numbers::pi;
  const Index n = 8192;
  const Matrix design = explain::replicated_design(explain::halton(n, 6));
  REQUIRE(design.shape() == Shape{4 * n, 3});
  std::vector<double> outputs;
  for (Index i = 0; i < design.dim(0); ++i) {
    const auto at = [&](Index j) { return pi * (2 * design(i, j) - 1); };
    outputs.push_back(std::sin(at(0)) + a * std::pow(std::sin(at(1)), 2) + b * std::pow(at(2), 4) * std::sin(at(0)));
  }
  const double first = std::pow(1 + b * std::pow(pi, 4) / 5, 2) / 2, second = a * a / 8,
               both = 8 * b * b * std::pow(pi, 8) / 225, all = first + second + both;
  const std::vector<double> found = explain::jansen_indices(outputs, n);
  REQUIRE(found.size() == 3);
  CHECK(found[0] == doctest::Approx((first + both) / all).epsilon(0.01));
  CHECK(found[1] == doctest::Approx(second / all).epsilon(0.01));
  CHECK(found[2] == doctest::Approx(both / all).epsilon(0.01));
}

TEST_CASE("Jansen's estimator by hand; outputs that do not vary have no indices") {
  // A = 1, 3, 5: variance 4. Inputs moved by 2, 0, 2 and by 0: (4 + 4) / (2 * 3 * 4) and 0.
  const std::vector<double> found = explain::jansen_indices(std::vector<double>{1, 3, 5, 3, 3, 3, 1, 3, 5}, 3);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == doctest::Approx(1. / 3));
  CHECK(found[1] == 0);
  CHECK(std::isnan(explain::jansen_indices(std::vector<double>{2, 2, 1, 3}, 2)[0]));
  const Matrix design = explain::replicated_design(Matrix(Shape{2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(same_bits(design, Matrix(Shape{6, 2}, {1, 2, 5, 6, 3, 2, 7, 6, 1, 4, 5, 8})));
}

TEST_CASE("what cannot be factorised or estimated is refused") {
  const Matrix x = positive_wave({3, 4}, 1, 0);
  CHECK(message_of([&] { (void)explain::nndsvda(x, 4); }) == "NMF: 4 components of a matrix (3, 4), expected 1 to 3");
  CHECK(message_of([&] { (void)explain::nndsvda(x, 0); }) == "NMF: 0 components of a matrix (3, 4), expected 1 to 3");
  Matrix negative = x.clone();
  negative(1, 2) = -0.5;
  CHECK(message_of([&] { (void)explain::nndsvda(negative, 2); }) ==
        "NMF: expected numbers of 0 or more, got -0.5 in row 1, column 2");
  negative(1, 2) = INFINITY;
  CHECK(message_of([&] { (void)explain::nmf_weights(negative, x); }) ==
        "NMF: expected numbers of 0 or more, got inf in row 1, column 2");
  CHECK(message_of([&] {
          (void)explain::nmf(x, {Matrix(Shape{3, 2}, 1), Matrix(Shape{2, 5}, 1)});
        }) == "NMF: a start of (3, 2) and (2, 5) for a matrix (3, 4)");
  CHECK(message_of([&] {
          (void)explain::nmf(x, explain::nndsvda(x, 2), {0, 1e-4});
        }) == "NMF: 0 rounds, tolerance 0.0001: expected 1 or more and 0 or more");
  CHECK(message_of([&] {
          (void)explain::nmf_weights(x, Matrix(Shape{2, 5}, 1));
        }) == "NMF: components (2, 5) for a matrix (3, 4)");
  CHECK(message_of([&] { (void)explain::nndsvda(Matrix(Shape{4}, 1), 1); }) ==
        "NMF: expected a matrix (n, c), got (4)");
  CHECK(message_of([] { (void)explain::halton(0, 2); }) ==
        "halton: 0 points of 2 dimensions, expected 1 or more of each");
  CHECK(message_of([] {
          (void)explain::replicated_design(Matrix(Shape{2, 3}, 1));
        }) == "replicated design: expected points (n, 2 d), got (2, 3)");
  CHECK(message_of([] {
          (void)explain::jansen_indices(std::vector<double>{1, 2, 3}, 2);
        }) == "Sobol indices: 3 outputs for a design of 2 points");
  CHECK(message_of([] {
          (void)explain::jansen_indices(std::vector<double>{1, 2}, 1);
        }) == "Sobol indices: a design of 1 points, expected 2 or more");
}

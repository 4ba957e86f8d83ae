// What the table does not ask: third order, ties, extreme numbers, empty tensors, options out of range.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "limn/ops/ops.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;

namespace {
V vector(std::initializer_list<double> numbers) {
  return leaf(Tensor<D>(Shape{static_cast<Index>(numbers.size())}, numbers));
}
V next(const V& y, const V& x) { return grad(sum(y), x, {.create_graph = true}); }
void check(const V& found, std::initializer_list<double> expected) {
  REQUIRE(found.size() == static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(found.value().span()[i] == doctest::Approx(expected.begin()[i]).epsilon(1e-12));
}
constexpr float infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("three derivatives of exp(sigmoid(x)) agree with the chain rule on paper") {
  const V x = vector({-1.3, 0.2, 0.9}), y = exp(sigmoid(x));
  const V first = next(y, x), second = next(first, x), third = next(second, x);
  for (Index i = 0; i < 3; ++i) {
    const double s = 1 / (1 + std::exp(-x.value()(i))), e = std::exp(s);
    const double s1 = s * (1 - s), s2 = s1 * (1 - 2 * s), s3 = s1 * (1 - 6 * s + 6 * s * s);
    CHECK(first.value()(i) == doctest::Approx(e * s1).epsilon(1e-12));
    CHECK(second.value()(i) == doctest::Approx(e * (s1 * s1 + s2)).epsilon(1e-12));
    CHECK(third.value()(i) == doctest::Approx(e * (s1 * s1 * s1 + 3 * s1 * s2 + s3)).epsilon(1e-12));
  }
}

TEST_CASE("whole powers have finite derivatives at zero, to any order") {
  const V x = vector({0, 2}), y = pow(x, 2), first = next(y, x), second = next(first, x), third = next(second, x);
  check(first, {0, 4});
  check(second, {2, 2});
  check(third, {0, 0});
}

TEST_CASE("where elements are equal the gradient goes to the one that is documented") {
  const V a = vector({1, 2, 3}), b = vector({1, 3, 2});
  const auto d = grad<D>({sum(maximum(a, b))}, {a, b});
  check(d[0], {0, 0, 1});
  check(d[1], {1, 1, 0});
  const V x = vector({1, 3, 3, 2});
  check(grad(sum(max(x)), x), {0, 1, 0, 0});
  check(grad(sum(top_k(x, 2)), x), {0, 1, 1, 0});
  const V image = leaf(Tensor<D>(Shape{1, 2, 2, 1}, 5.0));
  check(grad(sum(max_pool2d(image, Window::square(2))), image), {1, 0, 0, 0});
  const V zero = vector({0, -1, 1});
  check(grad(sum(relu(zero)), zero), {0, 0, 1});
  check(grad(sum(abs(zero)), zero), {0, -1, 1});
}

TEST_CASE("extreme numbers do not overflow") {
  const Var<Cpu> x = leaf(Tensor<Cpu>(Shape{2}, {-1000.f, 1000.f}));
  const auto value = [](const Var<Cpu>& y, Index i) { return y.value()(i); };
  CHECK(value(sigmoid(x), 0) == 0.f);
  CHECK(value(sigmoid(x), 1) == 1.f);
  CHECK(value(softplus(x), 0) == 0.f);
  CHECK(value(softplus(x), 1) == 1000.f);
  CHECK(value(softmax(x), 0) == 0.f);
  CHECK(value(softmax(x), 1) == 1.f);
  CHECK(value(log_softmax(x), 0) == -2000.f);
  CHECK(value(log_softmax(x), 1) == 0.f);
  const Tensor<Cpu> target(Shape{2}, {1.f, 0.f});
  CHECK(bce_with_logits(x, Var<Cpu>(target)).item() == 1000.f);
  for (const auto& y : {sum(sigmoid(x)), sum(softplus(x)), sum(softmax(x)), bce_with_logits(x, Var<Cpu>(target))}) {
    const Var<Cpu> gradient = grad(y, x);
    for (const float g : gradient.value().span()) CHECK(std::isfinite(g));
  }
}

TEST_CASE("a number that is none stays visible") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Var<Cpu> x = Tensor<Cpu>(Shape{1, 2, 2, 1}, {1.f, nan, 3.f, 2.f});
  CHECK(std::isnan(relu(x).value()(0, 0, 1, 0)));
  CHECK(std::isnan(max_pool2d(x, Window::square(2)).item()));
  CHECK(std::isnan(sum(x).item()));
}

TEST_CASE("sums of nothing are zero") {
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}, Shape{0}}) {
    const Var<Cpu> x = leaf(Tensor<Cpu>(shape));
    CHECK(sum(x).item() == 0.f);
    CHECK(grad(sum(x), x).shape() == shape);
  }
  const Var<Cpu> over_rows = sum(Var<Cpu>(Tensor<Cpu>(Shape{0, 3})), {0});
  for (const float v : over_rows.value().span()) CHECK(v == 0.f);
  const Var<Cpu> over_columns = sum(Var<Cpu>(Tensor<Cpu>(Shape{3, 0})), {1});
  for (const float v : over_columns.value().span()) CHECK(v == 0.f);
}

TEST_CASE("batch_norm gives the statistics of the batch") {
  // channel 0: 1, 3, 5, 7 with mean 4 and variance (9 + 1 + 1 + 9) / 4; channel 1: always 2
  const V x = Tensor<D>(Shape{4, 2}, {1, 2, 3, 2, 5, 2, 7, 2});
  const auto n = batch_norm(x, vector({1, 1}), vector({0, 0}));
  CHECK(n.mean(0) == 4);
  CHECK(n.variance(0) == 5);
  CHECK(n.mean(1) == 2);
  CHECK(n.variance(1) == 0);
  CHECK(n.y.value()(0, 0) == doctest::Approx(-3 / std::sqrt(5 + 1e-5)).epsilon(1e-6));  // eps is a float by default
  CHECK(n.y.value()(2, 1) == 0);
}

TEST_CASE("LAP-Pool lies between the mean and the element with the best score") {
  const V x = Tensor<D>(Shape{1, 2, 2, 1}, {1, 2, 3, 10}), q = Tensor<D>(Shape{1, 2, 2, 1}, {0.1, 0.9, 0.4, 0.2});
  const auto pooled = [&](double alpha, double eps, const Window& win) {
    return lap_pool(x, q, V(Tensor<D>(Shape{1}, alpha)), win, eps);
  };
  CHECK(pooled(0, 1e-3, Window::square(2)).item() == doctest::Approx(4));
  CHECK(pooled(1e4, 1e-9, Window::square(2)).item() == doctest::Approx(2));
  CHECK(pooled(3, 1e9, Window::square(2)).item() == doctest::Approx(4));  // eps drowns the scores
  // alpha = 0 with padding: the mean of what lies inside, here one element per window.
  check(pooled(0, 1e-3, Window::square(2, 2, 1)), {1, 2, 3, 10});
  CHECK(pooled(1e4, 1e-9, Window::square(2, 1, 1)).value()(0, 1, 1, 0) == doctest::Approx(2));
  CHECK_THROWS_WITH_AS(pooled(1, 0, Window::square(2)), "lap_pool: eps must be positive, got 0", OptionError);
}

TEST_CASE("a label outside its classes is refused") {
  const V logits = Tensor<D>(Shape{2, 3}, 0.0);
  const Index high[] = {0, 3}, low[] = {-1, 0};
  CHECK_THROWS_WITH_AS((void)cross_entropy(logits, std::span<const Index>(high)),
                       "cross_entropy: label 3 of sample 1, expected 0 to 2", Error);
  CHECK_THROWS_WITH_AS((void)cross_entropy(logits, std::span<const Index>(low)),
                       "cross_entropy: label -1 of sample 0, expected 0 to 2", Error);
}

TEST_CASE("a convolution far outside its image reads nothing but zeros") {
  // padding wider than the kernel: the border of the result sees only padding
  const Var<Cpu> x = Tensor<Cpu>(Shape{1, 1, 1, 1}, 2.f), w = Tensor<Cpu>(Shape{1, 1, 1, 1}, 3.f);
  const auto y = conv2d(x, w, Window::square(1, 1, 2)).value();
  REQUIRE(y.shape() == Shape{1, 5, 5, 1});
  for (Index i = 0; i < 25; ++i) CHECK(y.data()[i] == (i == 12 ? 6.f : 0.f));
}

TEST_CASE("infinite logits give what the limit is") {
  const Var<Cpu> x = Tensor<Cpu>(Shape{2}, {-infinity, 1.f});
  CHECK(softmax(x).value()(0) == 0.f);
  CHECK(log_softmax(x).value()(1) == 0.f);
  CHECK(sigmoid(x).value()(0) == 0.f);
}

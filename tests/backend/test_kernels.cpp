// What the table of operations cannot see of the kernels: how loops are merged, ties, sums that are cut into blocks.
#include "limn/backend/kernels.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "limn/core/random.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

std::vector<Index> extents(const kernel::detail::Loop& loop) {
  return {loop.extent.begin(), loop.extent.begin() + loop.rank};
}

/// Small whole numbers: any order of summation gives the same result, so equality is exact.
Tensor<D> whole(const Shape& shape) {
  Random random(Seed{6});
  Tensor<D> out(shape);
  for (double& v : out.span()) v = static_cast<double>(random.below(9)) - 4;
  return out;
}

template <class T>
std::vector<double> numbers(const Tensor<T>& x) {
  return {x.data(), x.data() + x.size()};
}

}  // namespace

TEST_CASE("axes that all operands treat alike become one loop") {
  using kernel::detail::merge;
  const Shape image{8, 64, 64, 3};
  CHECK(extents(merge(image, {image, image})) == std::vector<Index>{8 * 64 * 64 * 3});
  CHECK(extents(merge(image, {image, {3}})) == std::vector<Index>{3, 8 * 64 * 64});  // innermost first
  CHECK(extents(merge(image, {image, {1}})) == std::vector<Index>{8 * 64 * 64 * 3});
  CHECK(extents(merge(image, {image, {8, 1, 1, 3}})) == std::vector<Index>{3, 64 * 64, 8});
  CHECK(extents(merge(image, {image, {8, 64, 64, 1}})) == std::vector<Index>{3, 8 * 64 * 64});
  CHECK(extents(merge({1, 1}, {Shape{1}})) == std::vector<Index>{1});
  const auto columns = merge({4, 5}, {Shape{4, 1}, Shape{1, 5}});
  CHECK(extents(columns) == std::vector<Index>{5, 4});
  CHECK(columns.stride[0][0] == 0);
  CHECK(columns.stride[0][1] == 1);
  CHECK(columns.stride[1][0] == 1);
  CHECK(columns.stride[1][1] == 0);
}

TEST_CASE("elementwise takes three operands, and none at all") {
  const Tensor<D> a(Shape{2, 3}, {1, 2, 3, 4, 5, 6}), b(Shape{3}, {10, 20, 30}), c(Shape{2, 1}, {100, 200});
  const auto y = kernel::elementwise([](double p, double q, double r) { return p + q + r; }, {2, 3}, a, b, c);
  CHECK(numbers(y) == std::vector<double>{111, 122, 133, 214, 225, 236});
  CHECK(kernel::elementwise(functor::Add{}, {0, 3}, Tensor<D>(Shape{0, 3}), b).shape() == Shape{0, 3});
}

TEST_CASE("sums cut into blocks lose nothing, wherever the cuts fall") {
  for (const Index r : {1, 15, 16, 17, 511, 512, 513, 1025, 8191, 8192, 8193, 16385}) {
    CAPTURE(r);
    const auto x = whole({2, r});
    const auto rows = kernel::sum_to(x, {2, 1});  // along contiguous numbers
    CHECK(rows(0, 0) == std::accumulate(x.data(), x.data() + r, 0.0));
    CHECK(rows(1, 0) == std::accumulate(x.data() + r, x.data() + 2 * r, 0.0));
    const auto y = x.reshape({r, 2});
    const auto columns = kernel::sum_to(y, {2});  // across rows
    double even = 0, odd = 0;
    for (Index i = 0; i < r; ++i) even += y(i, 0), odd += y(i, 1);
    CHECK(columns(0) == even);
    CHECK(columns(1) == odd);
  }
}

TEST_CASE("a long sum in float keeps five digits") {
  // One running sum of 4 million times 0.1 in float would be off by percents.
  const Tensor<Cpu> x(Shape{4000000}, 0.1f);
  CHECK(kernel::sum_to(x, {1}).item() == doctest::Approx(4000000 * 0.1f).epsilon(1e-5));
  const auto [mean, variance] = kernel::moments(x.reshape({4000000, 1}));
  CHECK(mean(0) == doctest::Approx(0.1f).epsilon(1e-5));
  CHECK(variance(0) < 1e-10f);
}

TEST_CASE("products cut into strips are whole, also of nothing") {
  for (const Index rows : {191, 192, 193, 385}) {
    const auto a = whole({rows, 3}), b = whole({3, 2}), y = kernel::matmul(a, false, b, false);
    for (const Index i : {Index{0}, rows / 2, rows - 1})
      CHECK(y(i, 1) == a(i, 0) * b(0, 1) + a(i, 1) * b(1, 1) + a(i, 2) * b(2, 1));
  }
  CHECK(numbers(kernel::matmul(Tensor<D>(Shape{2, 0}), false, Tensor<D>(Shape{0, 2}), false)) ==
        std::vector<double>{0, 0, 0, 0});
  CHECK(kernel::matmul(Tensor<D>(Shape{0, 3}), false, Tensor<D>(Shape{3, 2}), false).shape() == Shape{0, 2});
}

TEST_CASE("positions count flat, and the first of equals wins") {
  const Tensor<D> x(Shape{2, 4}, {1, 3, 3, 2, 5, 5, 5, 5});
  const auto best = kernel::argmax(x);
  CHECK(best.shape() == Shape{2, 1});
  CHECK(numbers(best) == std::vector<double>{1, 4});
  CHECK(numbers(kernel::top_k(x, 3)) == std::vector<double>{1, 2, 3, 4, 5, 6});
  const Tensor<D> image(Shape{2, 1, 2, 2}, {1, 9, 8, 2, 3, 4, 3, 4});
  CHECK(numbers(kernel::max_pool2d(image, {1, 2, 1, 1, 0, 0}).position) == std::vector<double>{2, 1, 4, 5});
}

TEST_CASE("the largest element of a window is never padding, however small it is") {
  const Tensor<D> x(Shape{1, 1, 1, 1}, -std::numeric_limits<double>::max());
  CHECK(numbers(kernel::max_pool2d(x, Window::square(3, 1, 1)).position) == std::vector<double>{0});
}

TEST_CASE("accumulate adds in place") {
  Tensor<D> a = whole({40000});
  const auto before = a.clone();
  kernel::accumulate(a, before);
  CHECK(a(0) == 2 * before(0));
  CHECK(a(39999) == 2 * before(39999));
}

// How long the tape keeps numbers, and that its length is limited by memory only.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/core/memory.hpp"
#include "limn/ops/activation.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;

namespace {
Index live() { return MemoryPool::instance().use().live; }
constexpr int layers = 20;
constexpr Index one = Index{1} << 19;  // bytes of one value: 65536 numbers, a size that the pool does not round up
V input() { return leaf(Tensor<D>(Shape{one / 8}, 0.1)); }
V chain(const V& x) {
  V y = x;
  for (int i = 0; i < layers; ++i) y = sigmoid(y);
  return y;
}
}  // namespace

TEST_CASE("without recording only the result stays") {
  const V x = input();
  const Index before = live();
  const NoRecord off;
  const V y = chain(x);
  CHECK(live() == before + one);
}

TEST_CASE("values are kept while a derivative needs them, and freed while the graph is walked") {
  const V x = input(), u = Tensor<D>(x.shape(), 1.0);
  const Index before = live();
  const V y = chain(x);
  CHECK(live() == before + layers * one);
  MemoryPool::instance().reset_peak();
  const V g = grad<D>(y, x, {.upstream = {u}});
  CHECK(live() == before + 2 * one);  // y and g
  // Beside what the forward pass left: one gradient coming in and one going out.
  CHECK(MemoryPool::instance().use().peak <= before + (layers + 2) * one);
}

TEST_CASE("an operation that needs no values keeps none") {
  const V x = input();
  const Index before = live();
  V y = x;
  for (int i = 0; i < layers; ++i) y = y + 1.0;
  CHECK(live() == before + one);
}

TEST_CASE("a retained graph stays, and goes with its last variable") {
  const V x = input(), u = Tensor<D>(x.shape(), 1.0);
  const Index before = live();
  {
    const V y = chain(x);
    { const V g = grad<D>(y, x, {.retain_graph = true, .upstream = {u}}); }
    CHECK(live() == before + layers * one);
    { const V g = grad<D>(y, x, {.create_graph = true, .upstream = {u}}); }
    CHECK(live() == before + layers * one);
  }
  CHECK(live() == before);
}

TEST_CASE("a graph that is dropped unused frees everything") {
  const V x = input();
  const Index before = live();
  (void)chain(x);
  CHECK(live() == before);
}

TEST_CASE("a chain of 200 000 operations overflows no stack") {
  constexpr int length = 200000;
  const V x = leaf(Tensor<D>(Shape{1}, 1.0));
  const auto build = [&] {
    V y = x;
    for (int i = 0; i < length; ++i) y = y + x;
    return y;
  };
  const Index before = live();
  CHECK(grad(build(), x).item() == length + 1);
  { const V y = build(); }  // taken down without being walked
  {
    const V y = build();
    CHECK(grad<D>(y, x, {.retain_graph = true}).item() == length + 1);
  }
  CHECK(live() == before);
}

TEST_CASE("a long chain of gradients of gradients overflows no stack") {
  V y = leaf(Tensor<D>(Shape{1}, 1.0));
  const V x = y;
  for (int i = 0; i < 20000; ++i) y = y * 1.0001;
  const V z = y * y;  // c^2 x^2 with c = 1.0001^20000
  const V first = grad<D>(z, x, {.create_graph = true});
  const double c2 = std::pow(1.0001, 40000);
  CHECK(first.item() == doctest::Approx(2 * c2).epsilon(1e-8));
  CHECK(grad(first, x).item() == doctest::Approx(2 * c2).epsilon(1e-8));
}

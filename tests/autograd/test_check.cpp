// The gradient check must find what is wrong; that it accepts what is right is shown by the table of operations.
#include "limn/autograd/check.hpp"

#include <doctest/doctest.h>

#include "limn/ops/activation.hpp"
#include "limn/ops/lap_pool.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;
using Vs = std::vector<V>;

namespace {
const Tensor<D> at(Shape{3}, {0.5, -1.0, 2.0});
}  // namespace

TEST_CASE("a wrong derivative is found, and where") {
  // x^3 whose derivative is said to be 2 x^2: the error at x = 2 is a third of 12 u
  const Differentiable wrong = [](const Vs& v) {
    return Vs{
        record("wrong", (v[0] * v[0] * v[0]).value(), from(v[0], [x = v[0]](const V& g) { return g * x * x * 2.0; }))};
  };
  const auto found = check_gradient(wrong, {at});
  CHECK(found.error > 0.3);
  CHECK(!found(1e-6));
  CHECK(found.where.find("input 0, element ") == 0);
}

TEST_CASE("a right first derivative that forgets its graph fails in second order") {
  const Differentiable forgets = [](const Vs& v) {
    return Vs{record("forgets", (v[0] * v[0]).value(),
                     from(v[0], [x = v[0]](const V& g) { return g * (x.detach() * 2.0); }))};
  };
  CHECK(check_gradient(forgets, {at})(1e-6));
  CHECK(!check_second_order(forgets, {at})(1e-6));
}

TEST_CASE("one wrong input among several, and a gradient that is none") {
  const Differentiable second = [](const Vs& v) { return Vs{v[0] * v[1].detach()}; };
  CHECK(check_gradient(second, {at, at}).where.find("input 1") == 0);
  const Differentiable none = [](const Vs& v) {
    return Vs{record("none", v[0].value(), from(v[0], [](const V& g) { return log(g - g - 1.0); }))};
  };
  CHECK(!check_gradient(none, {at})(1e-6));
}

TEST_CASE("several outputs are checked together, and large inputs in places") {
  const Differentiable two = [](const Vs& v) { return Vs{exp(v[0]), sum(v[0] * v[1])}; };
  Random random(Seed{8});
  const Tensor<D> a = detail::random_like({40, 5}, random), b = detail::random_like({40, 5}, random);
  CHECK(check_gradient(two, {a, b})(1e-6));
  CHECK(check_second_order(two, {a, b}, {.most = 20})(1e-6));
}

TEST_CASE("LAP-Pool whose scores come from its own input has exact derivatives of both orders") {
  const Differentiable f = [](const Vs& v) {
    const V q = sigmoid(sum(v[0] * v[1], {-1}));
    return Vs{lap_pool(v[0], q, v[2], Window::square(3, 2, 1), 1e-3)};
  };
  Random random(Seed{9});
  const std::vector<Tensor<D>> in{detail::random_like({2, 5, 4, 3}, random), detail::random_like({3}, random),
                                  Tensor<D>(Shape{1}, 1.5)};
  CHECK(check_gradient(f, in).error < 1e-6);
  CHECK(check_second_order(f, in).error < 1e-6);
}

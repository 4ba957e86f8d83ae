// What grad() computes, what it refuses, and what it leaves alone.
#include "limn/autograd/grad.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "limn/ops/activation.hpp"
#include "limn/ops/conv.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;
using Vs = std::vector<V>;

namespace {

V constant(std::initializer_list<double> numbers) {
  return Tensor<D>(Shape{static_cast<Index>(numbers.size())}, numbers);
}
V vector(std::initializer_list<double> numbers) { return leaf(constant(numbers).value()); }

void check(const V& found, std::initializer_list<double> expected) {
  REQUIRE(found.size() == static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(found.value().span()[i] == doctest::Approx(expected.begin()[i]).epsilon(1e-12));
}

/// x itself, as an operation that counts how often its derivative is asked.
V counted(const V& x, int& calls) {
  return record("counted", x.value().clone(), from(x, [&calls](const V& g) {
                  ++calls;
                  return g;
                }));
}

}  // namespace

TEST_CASE("gradients of several outputs in several inputs are added up") {
  const V a = vector({1, 2}), b = vector({3, 4});
  const V p = a * b, q = a * a;
  const auto d = grad<D>({p, q}, {a, b}, {.upstream = {constant({1, 10}), constant({100, 1000})}});
  check(d[0], {3 + 2 * 100., 40 + 4 * 1000.});
  check(d[1], {1, 20});
}

TEST_CASE("an output of one element needs no upstream gradient, and may have one") {
  const V x = vector({2, 3});
  check(grad(sum(x * x), x), {4, 6});
  check(grad<D>(sum(x * x), x, {.upstream = {constant({5})}}), {20, 30});
  // An empty one among given ones stands for the default.
  const auto d = grad<D>({sum(x), x * x}, {x}, {.upstream = {V(), constant({1, 1})}});
  check(d[0], {5, 7});
}

TEST_CASE("an input to which nothing leads has a gradient of zeros") {
  const V x = vector({2}), other = leaf(Tensor<D>(Shape{2, 2}, 1.0));
  const auto d = grad<D>({x * x}, {x, other});
  check(d[0], {4});
  CHECK(d[1].shape() == Shape{2, 2});
  check(d[1], {0, 0, 0, 0});
  check(grad(constant({3}), x), {0});
}

TEST_CASE("an input that is itself an output has a gradient of ones") {
  const V x = vector({2});
  check(grad(x, x), {1});
  check(grad<D>({x, x * x}, Vs{x}).front(), {5});
  const auto twice = grad<D>({x * x}, {x, x});
  check(twice[0], {4});
  check(twice[1], {4});
}

TEST_CASE("what cannot be asked is refused with the reason") {
  const V x = vector({1, 2}), c = constant({1, 2});
  CHECK_THROWS_WITH_AS((void)grad<D>({sum(x)}, {x, c}),
                       "grad: input 1 is a constant; make it with leaf(), or record the operation that made it", Error);
  CHECK_THROWS_WITH_AS((void)grad(x * x, x),
                       "grad: output 0 has shape (2); give its upstream gradient or reduce it to one number",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)grad<D>(x * x, x, {.upstream = {constant({1})}}),
                       "grad: output 0 has shape (2), its upstream gradient (1)", ShapeError);
  CHECK_THROWS_WITH_AS((void)grad<D>(x * x, x, {.upstream = {c, c}}), "grad: 1 outputs, but 2 upstream gradients",
                       Error);
  const V odd = record("odd", x.value(), from(x, [](const V&) { return constant({1, 2, 3}); }));
  CHECK_THROWS_WITH_AS((void)grad(sum(odd), x), "grad: 'odd' gives input 0 a gradient of shape (3), expected (2)",
                       ShapeError);
}

TEST_CASE("a graph can be walked once, unless it is retained") {
  const V x = vector({2});
  const std::string freed =
      "grad: the graph of 'multiply' was freed by an earlier call; pass {.retain_graph = true} or "
      "{.create_graph = true} there";
  {
    const V y = x * x;
    check(grad(y, x), {4});
    CHECK_THROWS_WITH_AS((void)grad(y, x), freed.c_str(), Error);
    CHECK_THROWS_WITH_AS((void)grad(exp(y), x), freed.c_str(), Error);
    check(grad(y * y, y), {8});  // as an input it serves still
  }
  {
    const V y = x * x;
    check(grad<D>(y, x, {.retain_graph = true}), {4});
    check(grad<D>(y, x, {.create_graph = true}), {4});
    check(grad(y, x), {4});
  }
}

TEST_CASE("gradients are constants unless create_graph asks for more") {
  const V x = vector({2});
  CHECK(!grad(x * x * x, x).requires_grad());
  const V first = grad<D>(x * x * x, x, {.create_graph = true});
  check(first, {12});
  const V second = grad<D>(first, x, {.create_graph = true});
  check(second, {12});
  check(grad(second, x), {6});
}

TEST_CASE("nothing is recorded where nobody needs it") {
  const V x = vector({1, 2}), c = constant({3, 4});
  CHECK((c * c).node() == nullptr);
  CHECK((x * c).node() != nullptr);
  CHECK(x.detach().node() == nullptr);
  CHECK((x.detach() * c).node() == nullptr);
  {
    const NoRecord off;
    CHECK((x * x).node() == nullptr);
    CHECK(!is_recording());
    { const NoRecord again; }
    CHECK(!is_recording());
  }
  CHECK(is_recording());
  // grad() itself switches recording off, and on again also when it throws.
  const V odd = record("odd", x.value(), from(x, [](const V&) -> V {
                         CHECK(!is_recording());
                         throw Error("odd");
                       }));
  CHECK_THROWS_AS((void)grad(sum(odd), x), Error);
  CHECK(is_recording());
}

TEST_CASE("recording is switched off for one thread only") {
  const NoRecord off;
  bool other = false;
  std::thread([&] { other = is_recording(); }).join();
  CHECK(other);
}

TEST_CASE("derivatives of constant inputs, and what they hold, are dropped") {
  const V x = vector({1}), c = constant({1});
  const auto held = std::make_shared<int>(0);
  const V y =
      record("two", x.value(), from(x, [](const V& g) { return g; }), from(c, [held](const V& g) { return g; }));
  CHECK(held.use_count() == 1);
  const V z =
      record("two", x.value(), from(x, [held](const V& g) { return g; }), from(c, [](const V& g) { return g; }));
  CHECK(held.use_count() == 2);
}

TEST_CASE("only what lies between inputs and outputs is computed") {
  int before = 0, after = 0, beside = 0;
  const V x = vector({2}), w = vector({5});
  const V middle = counted(x, before), y = counted(middle, after) * counted(w, beside);
  check(grad<D>(y, middle, {.retain_graph = true}), {5});
  CHECK(before == 0);
  CHECK(after == 1);
  CHECK(beside == 0);
  // of both an input and what it leads to
  const auto d = grad<D>({y}, {x, middle});
  check(d[0], {5});
  check(d[1], {5});
  CHECK(before == 1);
  CHECK(beside == 0);
}

TEST_CASE("a value used many times is passed once") {
  int calls = 0;
  const V x = vector({3}), y = counted(x, calls), z = y * y + y + y;
  check(grad(z, x), {8});
  CHECK(calls == 1);
}

TEST_CASE("a gradient that is shared is not added to in place") {
  // Both inputs of an addition get the upstream gradient itself; a gets more on top, b must not see it.
  const V a = vector({1}), b = vector({1}), u = constant({7});
  const auto d = grad<D>({a + b, a * constant({2})}, {a, b}, {.upstream = {u, u}});
  check(d[0], {21});
  check(d[1], {7});
  check(u, {7});
}

TEST_CASE("alias tells two uses of a value apart") {
  const V x = vector({3}), first = alias(x), second = alias(x);
  const V y = first * second * second;  // x^3
  const auto d = grad<D>({y}, {first, second}, {.retain_graph = true});
  check(d[0], {9});
  check(d[1], {18});
  check(grad(y, x), {27});
}

TEST_CASE("differentiate: inputs that depend on each other are not counted twice") {
  // joint(x, q) = x q, whose derivative goes by differentiate(), with q = x^2 as in LAP, where scores come from x.
  const auto joint = [](const V& x, const V& q) {
    return record_joint<D>("joint", kernel::elementwise(functor::Multiply{}, x.shape(), x.value(), q.value()), {&x, &q},
                           [x, q](const V& g) {
                             return differentiate<D>([](const Vs& in) { return in[0] * in[1]; }, {x, q}, g);
                           });
  };
  const V x = vector({2}), y = joint(x, x * x);  // x^3
  const V first = grad<D>(y, x, {.create_graph = true}), second = grad<D>(first, x, {.create_graph = true});
  check(y, {8});
  check(first, {12});
  check(second, {12});
  check(grad(second, x), {6});
  check(grad(joint(x, constant({5})), x), {5});  // an input may be a constant
}

TEST_CASE("two threads record and differentiate at once, on the same parameters") {
  const Var<Cpu> weight = leaf(Tensor<Cpu>(Shape{4, 3, 3, 2}, 0.1f));
  const auto step = [&](float number) {
    const Var<Cpu> x = Tensor<Cpu>(Shape{2, 8, 8, 2}, number);
    Var<Cpu> y = relu(conv2d(x, weight, {.pad_h = 1, .pad_w = 1}));
    return grad(sum(y * y), weight).value();
  };
  const auto expected = std::vector{step(0.5f), step(2.f)};
  std::vector<int> wrong(2, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto found = step(t == 0 ? 0.5f : 2.f);
        wrong[t] += !std::equal(found.data(), found.data() + found.size(), expected[t].data());
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>{0, 0});
}

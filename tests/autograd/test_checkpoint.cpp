// Parts that are computed again: the bits of the whole tape, and what is refused.
#include "limn/autograd/checkpoint.hpp"

#include <doctest/doctest.h>

#include "limn/core/memory.hpp"
#include "limn/core/random.hpp"
#include "limn/ops/ops.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;
using Vs = std::vector<V>;

namespace {

V random_leaf(const Shape& shape, std::uint64_t seed) {
  Tensor<D> out(shape);
  Random random(Seed{seed});
  for (double& v : out.span()) v = random.normal();
  return leaf(std::move(out));
}

bool same_bits(const V& a, const V& b) {
  return a.shape() == b.shape() && std::equal(a.value().data(), a.value().data() + a.size(), b.value().data());
}
double distance(const V& a, const V& b) {
  REQUIRE(a.shape() == b.shape());
  double most = 0;
  for (Index i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.value().data()[i] - b.value().data()[i]));
  return most;
}

/// f as a part, or as it stands.
template <class F>
auto part_if(bool on, F f) {
  return on ? checkpoint(f) : f();
}

/// A small network in which everything happens that can: a weight used in two parts, a part inside a part, an output
/// that later parts skip to, several outputs, one of which depends on another, and one that nobody uses.
struct Network {
  V x = random_leaf({3, 4}, 1), w = random_leaf({4, 4}, 2), v = random_leaf({4, 4}, 3);

  V loss(bool on) const {
    const V shared = tanh(w * 0.5 + v);  // no leaf, and used inside
    const V a = part_if(on, [=, *this] { return sigmoid(matmul(tanh(matmul(x, w)), shared)); });
    const Vs b = part_if(on, [=, *this] {
      const V map = tanh(matmul(a, w)), unused = exp(a);
      const V inner = part_if(on, [=, *this] { return tanh(matmul(map, v)) * map; });
      return Vs{map, unused, inner * shared.value().data()[0] + sum(map)};
    });
    const V c = part_if(on, [=, *this] { return tanh(matmul(b[2] + a, w)) + matmul(x, shared); });
    return sum(square(c) * b[0]) + mean(tanh(b[0]) * c) + sum(b[0] * b[0]) + sum(a * x);
  }
};

}  // namespace

TEST_CASE("values and gradients have the bits of the whole tape") {
  const Network net;
  const V plain = net.loss(false), again = net.loss(true);
  CHECK(plain.item() == again.item());
  const Vs expected = grad<D>({plain}, {net.x, net.w, net.v}), found = grad<D>({again}, {net.x, net.w, net.v});
  for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(found[i], expected[i]));
  CHECK(same_bits(grad(net.loss(true), net.w), expected[1]));  // also alone
}

TEST_CASE("gradients of gradients are exact") {
  const Network net;
  const auto second = [&](bool on) {
    const Vs g = grad<D>({net.loss(on)}, {net.x, net.w}, {.create_graph = true});
    const Vs gg = grad<D>({sum(g[0] * g[0]) + sum(tanh(g[1]))}, {net.x, net.w, net.v}, {.create_graph = true});
    Vs out = grad<D>({sum(square(gg[0])) + sum(gg[1] * gg[2])}, {net.x, net.w, net.v});  // and a third time
    out.insert(out.begin(), gg.begin(), gg.end());
    return out;
  };
  const Vs expected = second(false), found = second(true);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double scale = 1;
    for (const double number : expected[i].value().span()) scale = std::max(scale, std::abs(number));
    CHECK(distance(found[i], expected[i]) / scale < 1e-12);
  }
}

TEST_CASE("f is called once, and once more for each gradient") {
  const V x = random_leaf({4}, 1);
  int calls = 0;
  const V y = checkpoint([&calls, x] {
    ++calls;
    return sum(exp(x) * x);
  });
  CHECK(calls == 1);
  const V first = grad(y, x, {.retain_graph = true});
  CHECK(calls == 2);
  CHECK(same_bits(grad(y, x), first));
  CHECK(calls == 3);
  CHECK_THROWS_WITH_AS((void)grad(y, x),
                       "grad: the graph of 'checkpoint' was freed by an earlier call; pass {.retain_graph = true} or "
                       "{.create_graph = true} there",
                       Error);
  const NoRecord off;
  CHECK(!checkpoint([x] { return exp(x); }).requires_grad());
}

TEST_CASE("an input handed through, a constant, and nothing to differentiate") {
  const V x = random_leaf({4}, 1), constant = V(random_leaf({4}, 2).value());
  const Vs y = checkpoint([=] { return Vs{x, constant, x * constant}; });
  CHECK(y[0].node() == x.node());
  CHECK(!y[1].requires_grad());
  const Vs plain = grad<D>(Vs{sum(x * constant * x)}, Vs{x});
  CHECK(same_bits(grad<D>(Vs{sum(y[0] * y[1] * x)}, Vs{x})[0], plain[0]));
  CHECK(!checkpoint([=] { return exp(constant); }).requires_grad());
}

TEST_CASE("more inputs than a word has bits") {
  std::vector<V> x;
  for (std::uint64_t i = 0; i < 150; ++i) x.push_back(random_leaf({2}, i));
  const auto f = [=] {
    V sum = x[0];
    for (const V& v : x) sum = tanh(sum * v) + v;
    return limn::sum(sum);
  };
  const Vs wanted{x[3], x[70], x[149]};
  const Vs expected = grad<D>(Vs{f()}, wanted), found = grad<D>(Vs{checkpoint(f)}, wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(same_bits(found[i], expected[i]));
}

TEST_CASE("memory: what lies inside is not kept") {
  const V x = random_leaf({1 << 16}, 1);
  const auto chain = [](V y) {
    for (int i = 0; i < 8; ++i) y = softplus(y);  // keeps its input
    return y;
  };
  MemoryPool& pool = MemoryPool::instance();
  const auto peak = [&](bool on) {
    const Index before = pool.use().live;
    pool.reset_peak();
    V y = x;
    for (int i = 0; i < 8; ++i) y = part_if(on, [=] { return chain(y); });
    (void)grad(sum(y), x);
    return static_cast<double>(pool.use().peak - before) / (static_cast<double>(x.size()) * 8);
  };
  const double plain = peak(false), again = peak(true);
  CAPTURE(plain);
  CAPTURE(again);
  CHECK(plain > 64);
  CHECK(again < 8 + 8 + 8);  // an output a part, the inside of one, and some on the way
}

TEST_CASE("what would be wrong is refused") {
  const V x = random_leaf({4}, 1);
  const auto f = [=] {
    const V inner = exp(x);
    return Vs{inner, inner * x};
  };
  {
    const Vs y = checkpoint(f);
    // How y[1] depends on y[0] is not on the tape.
    CHECK_THROWS_WITH_AS((void)grad(sum(y[1] * y[0]), y[0]),
                         "grad: input 0 was computed inside a 'checkpoint', and so was what depends on it", Error);
    CHECK(grad(sum(y[1] * y[0]), y[1]).size() == 4);  // the last one can be asked
    CHECK(same_bits(grad(sum(square(y[0])), y[0]), y[0] * 2.));
  }
  Rules<D> rules;
  rules.on("exp", [](const Operation<D>& operation, const V& g) { return operation.derivative(g); });
  CHECK_THROWS_WITH_AS((void)grad(sum(checkpoint(f)[1]), x, {.rules = &rules}),
                       "grad: propagation rules do not reach into 'checkpoint'; record with RecordForRules", Error);
  const RecordForRules keep;
  CHECK(same_bits(grad(sum(checkpoint(f)[1]), x, {.rules = &rules}), grad(sum(f()[1]), x)));
}

TEST_CASE("another result the second time is refused where it shows") {
  const V x = random_leaf({4}, 1);
  int calls = 0;
  const auto other = [&calls, x] { return ++calls == 1 ? exp(x) : sum(x); };
  CHECK_THROWS_WITH_AS((void)grad(sum(checkpoint(other)), x),
                       "checkpoint: the second call gives other outputs than the first", ShapeError);
}

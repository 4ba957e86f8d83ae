// Propagation rules, proved on guided backpropagation (Springenberg et al., 2015): a ReLU sends back g where its output
// and g are positive.
#include "limn/autograd/rules.hpp"

#include <doctest/doctest.h>

#include "limn/ops/ops.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;
using Vs = std::vector<V>;

namespace {

Tensor<D> three(double a, double b, double c) { return {Shape{3}, {a, b, c}}; }

void check(const V& found, std::initializer_list<double> expected) {
  REQUIRE(found.size() == static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found.value().span()[i] == expected.begin()[i]);
}

Rules<D> guided() {
  Rules<D> rules;
  rules.on("relu", [](const Operation<D>& operation, const V& g) {
    CHECK(operation.name == "relu");
    CHECK(operation.inputs.size() == 1);
    Tensor<D> open(operation.output.shape());  // 1 where the output is positive
    for (Index i = 0; i < open.size(); ++i) open.data()[i] = operation.output.data()[i] > 0 ? 1 : 0;
    return Vs{relu(g) * V(open)};
  });
  return rules;
}

// relu is a function that this network calls twice; there is no module that a rule could hang on.
//   x = (1, -2, 3)  ->  relu (1, 0, 3)  ->  times w = (2, 1, -1), plus (0, 1, 5): (2, 1, 2)  ->  relu  ->  times v
struct Net {
  V x = leaf(three(1, -2, 3)), w = leaf(three(2, 1, -1));
  V operator()() const {
    const V h = relu(relu(x) * w + V(three(0, 1, 5)));
    return sum(h * V(three(1, -1, 2)));
  }
};

}  // namespace

TEST_CASE("guided backpropagation by hand") {
  const Net net;
  const RecordForRules keep;
  const auto rules = guided();
  const V score = net();
  CHECK(score.item() == 5);
  // Back through the second relu: (1, -1, 2) -> (1, 0, 2); times w: (2, 0, -2); through the first: (2, 0, 0).
  check(grad<D>(score, net.x, {.retain_graph = true, .rules = &rules}), {2, 0, 0});
  // In w only the second relu lies on the way: (1, 0, 2) times relu(x).
  check(grad<D>(score, net.w, {.retain_graph = true, .rules = &rules}), {1, 0, 6});
  // Without rules the same graph gives the ordinary gradient: times w (2, -1, -2), then 0 where x < 0.
  check(grad(score, net.x), {2, 0, -2});
}

TEST_CASE("a rule may use the ordinary derivative") {
  const Net net;
  const RecordForRules keep;
  Rules<D> rules;
  rules.on("relu", [](const Operation<D>& operation, const V& g) { return operation.derivative(relu(g)); });
  check(grad<D>(net(), net.x, {.rules = &rules}), {2, 0, 0});
}

TEST_CASE("what a rule sends back can be differentiated: an explanation can be part of a loss") {
  const Net net;
  const RecordForRules keep;
  const auto rules = guided();
  const V map = grad<D>(net(), net.x, {.create_graph = true, .rules = &rules});
  check(map, {2, 0, 0});
  // map_i = [x_i > 0] relu(g_i w_i) with g = (1, 0, 2) as above; its derivative in w: g_0 where g_0 w_0 > 0, else 0.
  check(grad(sum(map), net.w), {1, 0, 0});
}

TEST_CASE("rules need a graph that was recorded for them") {
  const Net net;
  const auto rules = guided();
  const V score = net();
  CHECK_THROWS_WITH_AS((void)grad<D>(score, net.x, {.rules = &rules}),
                       "grad: 'relu' has a propagation rule, but was recorded without RecordForRules", Error);
  CHECK(!detail::recording().keep);
}

TEST_CASE("a rule for an operation that does not occur changes nothing, and a later rule replaces an earlier one") {
  const Net net;
  const RecordForRules keep;
  Rules<D> rules = guided();
  rules.on("conv2d", [](const Operation<D>&, const V&) -> Vs { throw Error("not called"); });
  check(grad<D>(net(), net.x, {.rules = &rules}), {2, 0, 0});
  rules.on("relu", [](const Operation<D>&, const V& g) { return Vs{g}; });  // straight through
  check(grad<D>(net(), net.x, {.rules = &rules}), {2, -1, -2});
}

TEST_CASE("a rule for all operations without one of their own") {
  const Net net;
  const RecordForRules keep;
  Rules<D> rules;
  std::vector<std::string> met;
  rules.otherwise([&](const Operation<D>& operation, const V& g) {
    met.emplace_back(operation.name);
    return operation.derivative(g);
  });
  rules.on({"relu", "sum_to"}, [](const Operation<D>& operation, const V& g) { return operation.derivative(g); });
  check(grad<D>(net(), net.x, {.rules = &rules}), {2, 0, -2});
  CHECK(met == std::vector<std::string>{"multiply", "add", "multiply"});
}

TEST_CASE("a rule may repeat the operation on other inputs, and knows which gradients are wanted") {
  // y = w x with w = (2, -3), x = (1, 1): the rule takes the weights for positive, so the gradient is |w|.
  const V x = leaf(Tensor<D>(Shape{1, 2}, {1, 1})), w = leaf(Tensor<D>(Shape{1, 2}, {2, -3}));
  const RecordForRules keep;
  Rules<D> rules;
  rules.on("linear", [](const Operation<D>& operation, const V& g) {
    CHECK(operation.wants(0));
    CHECK(!operation.wants(1));
    CHECK(operation.result().item() == -1);
    const auto again = [&](const Vs& in) { return operation.again({in[0], abs(operation.input(1))}); };
    return differentiate<D>(again, {operation.input(0)}, g);
  });
  check(grad<D>(linear(x, w), x, {.retain_graph = true, .rules = &rules}), {2, 3});
  // Computed with operation.input(1), it can be differentiated in the weight: d|w| / dw = (1, -1).
  const V map = grad<D>(linear(x, w), x, {.create_graph = true, .rules = &rules});
  check(grad(sum(map), w), {1, -1});

  rules.on("linear", [](const Operation<D>& operation, const V& g) {
    return differentiate<D>(
        [&](const Vs& in) {
          return operation.again({in[0], in[1]});
        },
        {operation.input(0), operation.input(1)}, g);
  });
  check(grad<D>(linear(x, w), x, {.rules = &rules}), {2, -3});
  rules.on("relu", [](const Operation<D>& operation, const V&) { return Vs{operation.again({})}; });
  CHECK_THROWS_WITH_AS((void)grad<D>(sum(relu(x)), x, {.rules = &rules}),
                       "a propagation rule: 'relu' cannot be repeated on other inputs", Error);
}

TEST_CASE("every operation that can be repeated gives what it gave") {
  const RecordForRules keep;
  const auto wave = [](const Shape& shape) {
    Tensor<D> t(shape);
    for (Index i = 0; i < t.size(); ++i) t.data()[i] = std::sin(1.3 * static_cast<double>(i) + 0.5);
    return leaf(t);
  };
  const V x = wave({2, 5, 4, 4}), c = wave({4}), q = wave({2, 5, 4, 1}), alpha = wave({1});
  const Window win = Window::square(3, 2, 1);
  const Tensor<D> mean(Shape{4}, 0.2), variance(Shape{4}, 0.7);
  const auto same = [](const V& y, const Vs& inputs) {
    REQUIRE(y.node()->forward);
    const V again = y.node()->forward(inputs);
    REQUIRE(again.shape() == y.shape());
    double worst = 0;
    for (Index i = 0; i < y.size(); ++i)
      worst = std::max(worst, std::abs(again.value().data()[i] - y.value().data()[i]));
    CHECK(worst < 1e-12);
  };
  const V w = wave({3, 3, 3, 4}), grouped = wave({2, 3, 3, 2}), depth = wave({4, 3, 3, 1}), rows = wave({5, 4});
  same(conv2d(x, w, win), {x, w});
  same(grouped_conv2d(x, grouped, win, 2), {x, grouped});
  same(depthwise_conv2d(x, depth, win), {x, depth});
  same(linear(x, rows), {x, rows});
  same(batch_norm(x, c, c, mean, variance), {x, c, c});
  same(lap_pool(x, q, alpha, win), {x, q, alpha});
}

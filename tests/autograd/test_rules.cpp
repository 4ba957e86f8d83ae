// Propagation rules, proved on guided backpropagation (Springenberg et al., 2015): a ReLU sends back g where its output
// and g are positive.
#include "limn/autograd/rules.hpp"

#include <doctest/doctest.h>

#include "limn/ops/activation.hpp"

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

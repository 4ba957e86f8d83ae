// The losses of BotCL against torch (../nn/recorded/record_botcl.py), which has them pair by pair; derivatives; edges.
#include <doctest/doctest.h>

#include "../nn/botcl.hpp"
#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/botcl.hpp"

using namespace limn;
using testing::off, testing::message_of;
using D = CpuDouble;

namespace {

struct Net {
  testing::RecordedBotCl botcl = testing::recorded_botcl();
  static constexpr auto fields = Fields{field<"botcl">(&Net::botcl)};
  Var<D> operator()(const Var<D>& x, auto& run) const { return run(botcl, x); }
};

/// A pass of maps (n, h, w, 3), in training, and the loss of it.
Var<D> value_of(const auto& loss, const Var<D>& maps, const std::vector<Index>& labels, double progress = 0) {
  const Net net;
  Run<D> run;
  run.training = true;
  const auto all = as_loss(loss);
  all.watch(net, run);
  const Var<D> logits = run(net, maps);
  const Batch<D> batch{{}, labels, {}, {}};
  return all(Step<D>{batch, logits, run, progress}).total;
}

void agrees(const auto& term, const std::vector<double>& value, const std::vector<double>& gradient) {
  CAPTURE(term.name);
  const Var<D> maps = leaf(testing::recorded_maps());
  const Var<D> found = value_of(term, maps, testing::recorded_labels);
  CHECK(off(found.value(), value) < 1e-10);
  CHECK(off(grad(found, maps).value(), gradient) < 1e-10);
}

void passes(const auto& term) {
  CAPTURE(term.name);
  const Differentiable f = [&](const std::vector<Var<D>>& in) {
    return std::vector{value_of(term, in[0], testing::recorded_labels)};
  };
  CHECK(check_gradient(f, {testing::recorded_maps()}).error < 1e-6);
  CHECK(check_second_order(f, {testing::recorded_maps()}).error < 1e-6);
}

}  // namespace

TEST_CASE("each loss of BotCL agrees with torch, in value and gradient") {
  agrees(CrossEntropy{}, recorded::cross_entropy, recorded::cross_entropy_gradient);
  agrees(BotClRetrieval{}, recorded::retrieval, recorded::retrieval_gradient);
  agrees(BotClQuantity{}, recorded::quantity, recorded::quantity_gradient);
  agrees(BotClQuantisation{}, recorded::quantisation, recorded::quantisation_gradient);
  agrees(BotClConsistency{}, recorded::consistency, recorded::consistency_gradient);
  agrees(BotClDistinctiveness{}, recorded::distinctiveness, recorded::distinctiveness_gradient);
}

TEST_CASE("the objective of BotCL, early and late") {
  const Var<D> maps = testing::recorded_maps();
  const auto& labels = testing::recorded_labels;
  CHECK(off(value_of(botcl_loss(), maps, labels, .74).value(), recorded::objective) < 1e-10);
  CHECK(off(value_of(botcl_loss(), maps, labels, .75).value(), recorded::late_objective) < 1e-10);
  CHECK(off(value_of(botcl_loss({.late = 1}), maps, labels, .99).value(), recorded::objective) < 1e-10);
  const auto sum = CrossEntropy{} + BotClRetrieval{} + BotClQuantity{} + .5f * BotClQuantisation{} +
                   -1.f * BotClConsistency{} + BotClDistinctiveness{};
  CHECK(off(value_of(sum, maps, labels).value(), recorded::objective) < 1e-10);
}

TEST_CASE("the losses of BotCL, first and second order") {
  passes(BotClRetrieval{});
  passes(BotClQuantity{});
  passes(BotClQuantisation{});
  passes(BotClConsistency{});
  passes(BotClDistinctiveness{});
}

TEST_CASE("the losses of BotCL where a batch has one picture or one class") {
  const Var<D> one = leaf(testing::picture(testing::recorded_maps(), 1));
  for (const Var<D>& value : {value_of(BotClConsistency{}, one, {1}), value_of(BotClDistinctiveness{}, one, {1})}) {
    CHECK(value.item() == 0);  // its attention is not more than the mean over the batch
    const Var<D> d = grad(value, one);
    for (const double v : d.value().span()) CHECK(v == 0);
  }
  // One class: only pairs of one class. d = 10/32 <y, y>, ln(1 + e^d) - d.
  const Net net;
  Run<D> run;
  run.training = true;
  run.watch<"botcl.attention">(net);
  (void)run(net, one);
  double d = 0;
  const Var<D> t = botcl::activations(run.watched("botcl.attention"));
  for (const double v : t.value().span()) d += 10. / 32 * (2 * v - 1) * (2 * v - 1);
  CHECK(value_of(BotClRetrieval{}, one, {2}).item() == doctest::Approx(std::log1p(std::exp(d)) - d));
}

TEST_CASE("features that are 0 have no direction, and no gradient that is not finite") {
  Net net;
  at<"botcl.reduce.1">(net).bias.value().fill(-100);  // everything is below 0 before the ReLU
  Run<D> run;
  run.training = true;
  const auto loss = BotClConsistency{} + BotClDistinctiveness{};
  loss.watch(net, run);
  const Var<D> maps = leaf(testing::recorded_maps()), logits = run(net, maps);
  const Batch<D> batch{{}, testing::recorded_labels, {}, {}};
  const Var<D> value = loss(Step<D>{batch, logits, run}).total;
  CHECK(value.item() == 0);
  const Var<D> d = grad(value, maps);
  for (const double v : d.value().span()) CHECK(std::isfinite(v));
}

TEST_CASE("the losses of BotCL say what they lack") {
  const Net net;
  Run<D> unwatched;
  unwatched.training = true;
  const Var<D> logits = unwatched(net, Var<D>(testing::recorded_maps()));
  const Batch<D> batch{{}, testing::recorded_labels, {}, {}};
  CHECK(message_of([&] {
          (void)BotClQuantity{}(Step<D>{batch, logits, unwatched});
        }) == "the pass was not asked to watch botcl.attention (loss.watch(net, run) before it)");
  CHECK(message_of([&] {
          (void)value_of(BotClRetrieval{}, Var<D>(testing::recorded_maps()), {0, 1});
        }) == "botcl_retrieval: 2 labels for 6 pictures");
}

// Prototypical networks: the loss by hand, gradients of the whole, prototypes as means, and training by episodes.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/evaluate/prototypes.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation/explanation.hpp"
#include "limn/loss/prototypical.hpp"
#include "limn/models/densenet.hpp"
#include "limn/models/prototypical.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/train/fit.hpp"
#include "recorded.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor, testing::same_bits;
using D = CpuDouble;

namespace {

/// Pictures (n, d) are their own embeddings.
struct Points {
  Identity<D> embedding;
  static constexpr auto fields = Fields{field<"embedding">(&Points::embedding)};
  Var<D> operator()(const Var<D>& x, auto& run) const { return run(embedding, x); }
};

double loss_of(const std::vector<double>& points, const std::vector<Index>& labels, Index shots) {
  const auto n = static_cast<Index>(labels.size());
  const Batch<D> batch{Tensor<D>(Shape{n, 2}, std::span<const double>(points)), labels, {}, {}};
  const PrototypicalLoss loss{.shots = shots};
  const Points net;
  Run<D> run;
  loss.watch(net, run);
  const Var<D> logits = run(net, Var<D>(batch.images));
  return loss(Step<D>{batch, logits, run}).item();
}

template <Backend B>
using Small = models::Prototypical<Sequential<Conv2d<B, 1, 4, 3, 1, 1>, Relu<B>>, 2, 3>;
using Slim = models::Prototypical<models::SlimDenseFeatures<Cpu, 1>, 2, 32>;

/// The same classes for everybody.
const data::Dataset& training() {
  static const data::Dataset data = data::phantoms({.count = 96, .size = 32});
  return data;
}
const data::Dataset& validation() {
  static const data::Dataset data = data::phantoms({.count = 60, .size = 32, .seed = 2});
  return data;
}

}  // namespace

TEST_CASE("the loss of an episode, by hand") {
  // Two shots: class 0 is at (1, 0), class 4 at (0, 3). (1, 1) is 1 and 5 away, (1, 2) is 4 and 2: the means of
  // ln(1 + e^-4) and ln(1 + e^-2).
  CHECK(loss_of({0, 0, 0, 4, 2, 0, 0, 2, 1, 1, 1, 2}, {0, 4, 0, 4, 0, 4}, 2) ==
        doctest::Approx((std::log1p(std::exp(-4.)) + std::log1p(std::exp(-2.))) / 2));
  CHECK(message_of([] {
          (void)loss_of({0, 0, 0, 4, 2, 0, 0, 2}, {1, 0, 0, 0}, 2);
        }) ==
        "prototypical: a batch with 1 of class 1, expected at least 3: 2 shots and a query; take larger or balanced "
        "batches");
  CHECK(message_of([] { (void)loss_of({0, 0}, {0}, 0); }) == "prototypical: shots must be at least 1, got 0");
}

TEST_CASE("a vector of length one, and squared distances") {
  const std::vector<double> numbers{3, 4, 0, 0, 1, 1};
  const Var<D> x = Tensor<D>(Shape{3, 2}, std::span<const double>(numbers));
  const Tensor<D> unit = unit_length(x).value();
  CHECK(unit(0, 0) == doctest::Approx(.6));
  CHECK(unit(0, 1) == doctest::Approx(.8));
  CHECK(unit(1, 0) == 0);
  const Tensor<D> between = squared_distances(x, slice(x, 0, 1, 2)).value();  // (3, 2)
  CHECK(between(0, 0) == doctest::Approx(25));
  CHECK(between(0, 1) == doctest::Approx(4 + 9));
  CHECK(between(2, 1) == 0);
  CHECK(message_of([&] {
          (void)squared_distances(x, Var<D>(Tensor<D>(Shape{2, 3})));
        }).starts_with("squared_distances: expected matrices with rows of one length, got (3, 2) and (2, 3)"));
}

TEST_CASE("the gradient of the whole loss agrees with differences") {
  Small<D> net{Seed{3}};
  const auto all = parameters(net);
  std::vector<Tensor<D>> at;
  for (const auto& p : all) at.push_back(p.parameter->value().clone());
  Batch<D> batch{random_tensor<D>({6, 5, 4, 1}, "images"), {0, 1, 1, 0, 0, 1}, Tensor<D>(Shape{6, 5, 4, 1}, 0.), {}};
  batch.has_mask.assign(6, 1);
  for (Index i = 0; i < 6; ++i) batch.masks(i, i % 4, 1, 0) = batch.masks(i, i % 4, 2, 0) = 1;
  net.prototypes.value() = random_tensor<D>({2, 3}, "prototypes");
  const auto loss = PrototypicalLoss{.shots = 1} + .1f * ExplanationLoss<GradCam<"features">, Dice>{};
  const CheckResult result = check_gradient(
      [&](const std::vector<Var<D>>& in) -> std::vector<Var<D>> {
        for (std::size_t i = 0; i < all.size(); ++i) all[i].parameter->bind(in[i]);
        Run<D> run;
        loss.watch(net, run);
        const Var<D> logits = run(net, Var<D>(batch.images));
        return {loss(Step<D>{batch, logits, run}).total};
      },
      at);
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

TEST_CASE("prototypes are the means of the classes' embeddings, and part of a checkpoint") {
  Slim net{Seed{1}};
  Run<Cpu> run;
  const auto embedding = run.tap(net.embedding);
  const data::Dataset few = training().subset({0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(message_of([&] {
          (void)evaluate(net, few, metrics::Classification{});
        }).starts_with("prototypical network: it has no prototypes yet"));
  set_prototypes(net, few);
  const Batch<Cpu> batch = to_batch<Cpu>(*data::Loader(few, {.batch = 8}).epoch(0).next());
  const Tensor<Cpu> logits = run(net, Var<Cpu>(batch.images)).value();
  const Tensor<Cpu>& points = run.tapped(embedding).value();
  const auto counts = few.counts();
  for (Index c = 0; c < 2; ++c) {
    double distance = 0;
    for (Index k = 0; k < 32; ++k) {
      double mean = 0;
      for (Index i = 0; i < 8; ++i)
        if (batch.labels[static_cast<std::size_t>(i)] == c)
          mean += static_cast<double>(points(i, k)) / static_cast<double>(counts[static_cast<std::size_t>(c)]);
      CHECK(static_cast<double>(net.prototypes.value()(c, k)) == doctest::Approx(mean).epsilon(1e-5));
      distance += (static_cast<double>(points(3, k)) - mean) * (static_cast<double>(points(3, k)) - mean);
    }
    CHECK(static_cast<double>(logits(3, c)) == doctest::Approx(-distance).epsilon(1e-4));
  }
  Slim other{Seed{2}};
  put_weights(leaves(other), weights_of(leaves(net)), "itself");
  CHECK(same_bits(other.prototypes.value(), net.prototypes.value()));
  CHECK(message_of([&] { set_prototypes(net, few.filter([](const auto& s) { return s.label == 1; })); }) ==
        "set_prototypes: no picture of class \"clear\"");
}

TEST_CASE("episodes train a prototypical network, and an explanation loss beside them moves its maps") {
  const auto trained = [](float weight) {
    Slim net{Seed{7}};
    const auto loss = PrototypicalLoss{.shots = 5} + weight * ExplanationLoss<GradCam<"features.denseblock3">, Dice>{};
    set_prototypes(net, training());
    const train::Fit fit = train::fit(
        net, loss, Adam{{.lr = 3e-3f}}, training(), validation(),
        {.epochs = 6, .batch = 24, .drop_last = true, .restore_best = false, .quiet = true, .before_validation = [&] {
           set_prototypes(net, training());
         }});
    REQUIRE(fit.history.columns[2] == "prototypical");
    REQUIRE(fit.history.columns[3] == "dice");
    return fit.history.rows;
  };
  const auto without = trained(0), with = trained(.1f);
  MESSAGE("prototypical ", with.front()[2], " to ", with.back()[2], ", dice ", with.front()[3], " to ", with.back()[3],
          ", without its loss to ", without.back()[3]);
  CHECK(with.back()[2] < .6 * with.front()[2]);
  CHECK(with.back()[3] < without.back()[3]);
}

TEST_CASE("the linear head trains with the same explanation loss") {
  models::SlimDenseNet<Cpu, 1, 2> net{Seed{7}};
  const auto loss = CrossEntropy{} + .1f * ExplanationLoss<GradCam<"features.denseblock3">, Dice>{};
  const train::Fit fit = train::fit(net, loss, Adam{{.lr = 3e-3f}}, training(), validation(),
                                    {.epochs = 3, .batch = 24, .restore_best = false, .quiet = true});
  CHECK(fit.history.rows.back()[1] < fit.history.rows.front()[1]);
}

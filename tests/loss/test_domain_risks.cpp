// IRM and GroupDRO: against loops and the tape, what GroupDRO remembers, bad input.
#include <doctest/doctest.h>

#include "limn/loss/domain_risks.hpp"
#include "small_net.hpp"

using namespace small;
using testing::message_of;

namespace {

/// The pictures of each domain of batch().
const std::vector<std::vector<Index>> domains{{0, 3, 4}, {1, 2}};

double risk(const Net& net, const Batch<D>& data, const std::vector<Index>& domain) {
  double sum = 0;
  for (const Index i : domain)
    sum += surprise(said(net, picture(data, i)).logits, data.labels[static_cast<std::size_t>(i)]);
  return sum / static_cast<double>(domain.size());
}

}  // namespace

TEST_CASE("the IRM penalty is the squared slope of each domain's risk in a factor on the logits") {
  const auto net = network<Net>();
  const Batch<D> data = batch();
  double by_differences = 0, by_tape = 0;
  for (const auto& domain : domains) {
    const auto at = [&](double w) {
      double sum = 0;
      for (const Index i : domain) {
        auto logits = said(net, picture(data, i)).logits;
        for (double& z : logits) z *= w;
        sum += surprise(logits, data.labels[static_cast<std::size_t>(i)]);
      }
      return sum / static_cast<double>(domain.size());
    };
    const double slope = (at(1 + 1e-5) - at(1 - 1e-5)) / 2e-5;
    by_differences += slope * slope / 2;

    Run<D> run;
    const Var<D> w = leaf(Tensor<D>(Shape{1}, 1.)), logits = run(net, Var<D>(data.images));
    std::vector<Index> labels;
    std::vector<Var<D>> rows;
    for (const Index i : domain) {
      labels.push_back(data.labels[static_cast<std::size_t>(i)]);
      rows.push_back(slice(logits, 0, i, 1));
    }
    const double exact = grad(cross_entropy(concat(rows, 0) * w, std::span<const Index>(labels)), w).item();
    by_tape += exact * exact / 2;
  }
  const double value = value_of(IrmPenalty{}, net, data).item();
  CHECK(value > 1e-3);
  CHECK(value == doctest::Approx(by_tape).epsilon(1e-12));
  CHECK(value == doctest::Approx(by_differences).epsilon(1e-7));
  const CheckResult error = gradient_error(CrossEntropy{} + 10.f * IrmPenalty{}, network<Normed>(), data);
  CAPTURE(error.where);
  CHECK(error.error < 2e-6);
}

TEST_CASE("GroupDRO: the weights grow with the risks, and are kept") {
  const auto net = network<Net>();
  const Batch<D> data = batch();
  GroupDro loss(3, .5);  // domain 1 has no picture
  const double r0 = risk(net, data, domains[0]), r2 = risk(net, data, domains[1]);
  std::vector<double> q{1. / 3, 1. / 3, 1. / 3};
  for (int step = 0; step < 3; ++step) {
    q = {q[0] * std::exp(.5 * r0), q[1], q[2] * std::exp(.5 * r2)};
    const double sum = q[0] + q[1] + q[2];
    for (double& v : q) v /= sum;
    Run<D> run;
    const Var<D> logits = run(net, Var<D>(data.images));
    const Step<D> now{data, logits, run};
    CHECK(loss(now).item() == doctest::Approx(q[0] * r0 + q[2] * r2).epsilon(1e-12));
    CHECK(loss(now).item() == loss(now).item());  // asking changes nothing
    loss.commit(now);
    for (std::size_t d = 0; d < 3; ++d) CHECK(loss.weights.value().data()[d] == doctest::Approx(q[d]).epsilon(1e-12));
  }
  const auto state = (CrossEntropy{} + .5f * loss).state();
  REQUIRE(state.size() == 1);
  CHECK(state[0].first == "loss/1/group_dro/weights");
  CHECK(state[0].second.data()[0] == loss.weights.value().data()[0]);
  GroupDro copy = loss;  // a value: its memory is its own
  copy.weights.value().data()[0] = 7;
  CHECK(loss.weights.value().data()[0] != 7);
  // What the weights owe to the risks is no part of the gradient, so it is checked where they stay.
  const CheckResult error = gradient_error(GroupDro(3, 0), network<Normed>(), data);
  CAPTURE(error.where);
  CHECK(error.error < 2e-6);
}

TEST_CASE("risks so large that their exponentials are not") {
  GroupDro loss(2, 10);
  const Batch<D> data{Tensor<D>(Shape{2, 1, 1, 1}), {0, 0}, {}, {}, {0, 1}};
  const Var<D> logits = Tensor<D>(Shape{2, 2}, {0, 1000, 0, 0});
  Run<D> run;
  loss.commit(Step<D>{data, logits, run});
  CHECK(loss.weights.value().data()[0] == doctest::Approx(1));
  CHECK(std::isfinite(loss(Step<D>{data, logits, run}).item()));
}

TEST_CASE("data that does not know its domains, and options out of range") {
  const auto net = network<Net>();
  Batch<D> data = batch();
  CHECK(message_of([&] { (void)value_of(GroupDro(2), net, data); }) ==
        "group_dro: a picture of domain 2, expected 0 to 1");
  data.domains.clear();
  CHECK(message_of([&] { (void)value_of(GroupDro(2), net, data); }) ==
        "group_dro: needs to know the domains of the pictures (data/domains.hpp)");
  CHECK(message_of([&] { (void)value_of(IrmPenalty{}, net, data); }) ==
        "irm_penalty: needs to know the domains of the pictures (data/domains.hpp)");
  CHECK(message_of([] { (void)GroupDro(0); }) == "group_dro: needs 1 domain or more, got 0");
  CHECK(message_of([] { (void)GroupDro(2, -1); }) == "group_dro: rate must be 0 to 10, got -1");
}

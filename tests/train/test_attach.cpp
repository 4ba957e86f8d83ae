// Training LAPs beside a network that stays, and fine-tuning a network with frozen parts.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/data/split.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation/explanation.hpp"
#include "limn/loss/lap.hpp"
#include "limn/loss/lap_expert.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/attach.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

namespace {

using Small = models::ResNetSmall<Cpu, 1, 2>;

auto pictures() { return data::phantoms({.count = 150, .size = 32}).split({.seed = 7}); }

Small trained(const data::Dataset& train, const data::Dataset& val) {
  Small net{Seed{7}};
  (void)train::fit(net, CrossEntropy{}, Adam{{.lr = 2e-3}}, train, val, {.epochs = 2, .batch = 16, .quiet = true});
  return net;
}

io::TensorFile weights(const auto& net) { return weights_of(leaves(net)); }

/// Names of the tensors whose bits differ.
std::vector<std::string> changed(const io::TensorFile& before, const io::TensorFile& after) {
  std::vector<std::string> out;
  for (const auto& [name, entry] : before.tensors)
    if (entry.bytes != after.tensors.at(name).bytes) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("heads train alone: the network stays as it is, to the bit, and the best epoch is chosen by their loss") {
  const auto [train, val, test] = pictures();
  const Small net = trained(train, val);
  const io::TensorFile before = weights(net);
  auto laps = lap::attach<"layer2", "layer3">(net, lap::binary());
  const io::TensorFile heads = weights(laps);
  const train::Fit fit = train::fit(laps, LapSupervision{{.min_active = .05f, .max_active = .3f, .inactive = .1f}},
                                    Adam{{.lr = 1e-2}}, train, val, {.epochs = 4, .batch = 16, .quiet = true});
  CHECK(changed(before, weights(net)).empty());
  CHECK(changed(heads, weights(laps)).size() == heads.tensors.size());
  // The best epoch is the one of the smallest loss on the validation pictures, not the first of equal accuracies.
  const auto& columns = fit.history.columns;
  const auto at = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), "val_total") - columns.begin());
  REQUIRE(at < columns.size());
  double least = INFINITY;
  for (const auto& row : fit.history.rows) least = std::min(least, row[at]);
  CHECK(fit.best_value == least);
  CHECK(fit.history.rows.front()[at] > least);

  const auto plain =
      evaluate(net, test, metrics::Classification{}, metrics::Localisation{explain::GradCam<"layer4">{}});
  const auto both = evaluate(laps, test, metrics::Classification{},
                             metrics::Localisation{explain::Lap{}, explain::GradCam<"layer4">{}}.of_class(1));
  CHECK(both.classification.accuracy == plain.classification.accuracy);
  CHECK(both.classification.auc == plain.classification.auc);
  CHECK(both.localisation.size() == 2);
}

TEST_CASE("heads that were saved can be loaded, with the same bits") {
  const auto [train, val, test] = pictures();
  const Small net = trained(train, val);
  auto laps = lap::attach<"layer2", "layer4.0">(net, lap::binary());
  (void)train::fit(laps, LapSupervision{}, Adam{}, train, val, {.epochs = 1, .batch = 16, .quiet = true});
  auto other = lap::attach<"layer2", "layer4.0">(net, lap::binary(), Seed{3});
  CHECK(put_weights(leaves(other), weights(laps), "heads").complete());
  CHECK(changed(weights(laps), weights(other)).empty());
  for (const auto& [name, entry] : weights(laps).tensors) CHECK(name.starts_with("laps.layer"));
}

TEST_CASE("fine-tuning: network and heads start from trained weights, and frozen parts keep their bits") {
  const auto [train, val, test] = pictures();
  const Small net = trained(train, val);
  auto laps = lap::attach<"layer1", "layer2", "layer3", "layer4">(net, lap::binary());
  (void)train::fit(laps, LapSupervision{}, Adam{{.lr = 1e-2}}, train, val, {.epochs = 1, .batch = 16, .quiet = true});

  models::ResNetSmall<Cpu, 1, 2, pool::Lap> plugged{Seed{1}};
  const LoadReport report = put_weights(leaves(plugged), weights(net), "the network", {.strict = false});
  CHECK(report.unexpected.empty());
  CHECK(report.misfits.empty());
  for (const std::string& name : report.missing)
    CHECK((name.find(".lap.") != name.npos || name.starts_with("avgpool.")));
  const auto start = [](auto& pool, const auto& unit) {
    pool.head = unit.head;
    pool.discriminative = unit.discriminative;
  };
  start(at<"layer2.0.lap">(plugged), laps.unit<"layer1">());  // what goes into layer2 is what layer1 gives
  start(at<"layer3.0.lap">(plugged), laps.unit<"layer2">());
  start(at<"layer4.0.lap">(plugged), laps.unit<"layer3">());
  start(at<"avgpool">(plugged), laps.unit<"layer4">());
  const io::TensorFile before = weights(plugged);
  CHECK(before.tensors.at("avgpool.head.out.weight").bytes ==
        weights(laps).tensors.at("laps.layer4.head.out.weight").bytes);

  // All is frozen but layer4, the LAP in front of layer3 and the head of the network.
  const Adam adam{{.lr = 1e-3},
                  {{.prefix = "", .frozen = true}, {.prefix = "layer4"}, {.prefix = "layer3.0.lap"}, {.prefix = "fc"}}};
  (void)train::fit(plugged, CrossEntropy{} + 1.f * LapSupervision{}, adam, train, val,
                   {.epochs = 1, .batch = 16, .restore_best = false, .quiet = true});
  const std::vector<std::string> moved = changed(before, weights(plugged));
  CHECK(std::find(moved.begin(), moved.end(), "layer4.0.bn1.running_mean") != moved.end());
  CHECK(std::find(moved.begin(), moved.end(), "fc.weight") != moved.end());
  CHECK(std::find(moved.begin(), moved.end(), "layer3.0.lap.head.out.weight") != moved.end());
  for (const std::string& name : moved) {
    CAPTURE(name);
    CHECK((name.starts_with("layer4.") || name.starts_with("layer3.0.lap.") || name.starts_with("fc.")));
  }
}

TEST_CASE("what validation cannot compute is refused before the first step") {
  const auto [train, val, test] = pictures();
  Small net{Seed{7}};
  const auto loss = CrossEntropy{} + ExplanationLoss<GradCam<"layer2">, OutsideMass>{};
  CHECK(testing::message_of([&] { (void)train::fit(net, loss, Adam{}, train, val, {.monitor = "val_total"}); }) ==
        "fit: val_total: the loss watches layers or the pictures, which validation does not");
}

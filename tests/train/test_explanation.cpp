// train::fit with an explanation loss: on phantoms the term falls, and the maps of the trained network lie where the
// masks are.
#include <doctest/doctest.h>

#include <algorithm>

#include "limn/data/phantom/phantom.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation/explanation.hpp"
#include "limn/models/resnet.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

namespace {

using Cam = GradCam<"layer2">;

struct Outcome {
  double first = 0, last = 0;  ///< of a term, by epochs
  metrics::LocalisationScores maps;
};

/// Trains a small network and looks where its maps of class 1 fall.
template <class L>
Outcome outcome(const L& loss, const char* term) {
  const auto train = data::phantoms({.count = 160, .size = 32}),
             val = data::phantoms({.count = 60, .size = 32, .seed = 2});
  models::ResNet<Cpu, 1, 2, pool::Strided, 8, 1, stem::Unpooled> net{Seed{7}};
  const train::Fit fit = train::fit(net, loss, Adam{{.lr = 3e-3f}}, train, val,
                                    {.epochs = 8, .batch = 32, .restore_best = false, .quiet = true});
  const auto& columns = fit.history.columns;
  const auto at = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), term) - columns.begin());
  REQUIRE(at < columns.size());
  return {fit.history.rows.front()[at], fit.history.rows.back()[at],
          evaluate(net, val, metrics::Localisation{Cam{}}.of_class(1)).localisation.front()};
}

}  // namespace

TEST_CASE("an explanation loss moves the maps into the masks") {
  using Outside = ExplanationLoss<Cam, OutsideMass>;
  const Outcome without = outcome(CrossEntropy{}, "loss");
  const Outcome with = outcome(CrossEntropy{} + 2.f * Outside{}, "outside_mass");
  MESSAGE("outside mass ", with.first, " to ", with.last, "; inside the mask ", without.maps.rma,
          " of the map without, ", with.maps.rma, " with the loss");
  CHECK(with.last < with.first - .2);
  CHECK(with.maps.rma > without.maps.rma + .15);
  CHECK(10 * with.maps.undefined < with.maps.images);  // maps of zeros
}

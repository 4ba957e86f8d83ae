// train::fit with an explanation loss: on phantoms the term falls, and the maps of the trained network lie where the
// masks are.
#include <doctest/doctest.h>

#include "limn/data/phantom.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation.hpp"
#include "limn/models/resnet.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

TEST_CASE("an explanation loss moves the maps into the masks") {
  using Cam = GradCam<"layer2">;
  const auto train = data::phantoms({.count = 160, .size = 32}),
             val = data::phantoms({.count = 60, .size = 32, .seed = 2});
  const auto mass_inside = [&](const auto& loss, const char* term, double& first, double& last) {
    models::ResNet<Cpu, 1, 2, pool::Strided, 8, 1, stem::Unpooled> net{Seed{7}};
    const train::Fit fit = train::fit(net, loss, Adam{{.lr = 3e-3f}}, train, val,
                                      {.epochs = 8, .batch = 32, .restore_best = false, .quiet = true});
    const auto& columns = fit.history.columns;
    const auto at = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), term) - columns.begin());
    REQUIRE(at < columns.size());
    first = fit.history.rows.front()[at];
    last = fit.history.rows.back()[at];
    const auto scores = evaluate(net, val, metrics::Localisation{Cam{}}.of_class(1));
    return scores.localisation.front().rma;
  };
  double first = 0, last = 0, ignored = 0;
  const double without = mass_inside(CrossEntropy{}, "loss", ignored, ignored);
  const double with =
      mass_inside(CrossEntropy{} + 2.f * ExplanationLoss<Cam, OutsideMass>{}, "outside_mass", first, last);
  MESSAGE("outside mass ", first, " to ", last, "; share of the map inside the mask ", without, " without, ", with,
          " with the loss");
  CHECK(last < first - .2);
  CHECK(with > without + .15);
}

// A BotCL behind a small ResNet learns to tell generated radiographs by a planted mark, and its maps can be scored.
#include <doctest/doctest.h>

#include "limn/data/phantom/phantom.hpp"
#include "limn/data/split.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/explain/botcl.hpp"
#include "limn/loss/botcl.hpp"
#include "limn/models/resnet.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

TEST_CASE("BotCL learns") {
  const auto data = data::phantoms({.count = 300, .size = 32, .marker = 1.f});
  const auto [train, val, test] = data.split({.seed = 7});
  BotClNet<models::ResNetSmall<Cpu, 1, 2>, "layer2", 6, 16> net{Seed{1}};
  std::vector<double> loss, quantity;
  train::fit(net, botcl_loss({.late = 1}), Adam{{.lr = 3e-3f}}, train, val,
             {.epochs = 40, .batch = 16, .monitor = "val_loss", .quiet = true, .on_epoch = [&](const auto& epoch) {
                loss.push_back(epoch.at("loss"));
                quantity.push_back(epoch.at("botcl_quantity"));
              }});
  const auto scores = evaluate(net, test, metrics::Classification{}, metrics::Localisation{explain::BotCl{}});
  MESSAGE("loss ", loss.front(), " to ", loss.back(), ", accuracy ", scores.classification.accuracy);
  CHECK(loss.back() < loss.front() - 1);
  CHECK(quantity.back() < .2);  // concepts have become small
  CHECK(scores.classification.accuracy > .8);
  REQUIRE(scores.localisation.size() == 1);
  CHECK(scores.localisation[0].explainer == "BotCL");
  CHECK(scores.localisation[0].images > 10);
  CHECK(scores.localisation[0].iou_top_k >= 0);
}

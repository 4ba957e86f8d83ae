// Every explainer has the same call and can be scored: one study of them all, in evaluation mode, through float.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/data/phantom/phantom.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/evaluate/named.hpp"
#include "limn/explain/cam/cam_family.hpp"
#include "limn/explain/cam/relevance_cam.hpp"
#include "limn/explain/craft.hpp"
#include "limn/explain/deep_lift.hpp"
#include "limn/explain/gradients/averaged_gradients.hpp"
#include "limn/explain/gradients/gradient.hpp"
#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/explain/gradients/input_gradient.hpp"
#include "limn/explain/lrp.hpp"
#include "limn/metrics/classification.hpp"
#include "limn/metrics/localisation_study.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;

TEST_CASE("every explainer can be scored") {
  using Layer2 = explain::GradCam<"layer2">;
  const auto set = data::phantoms({.count = 24, .size = 32, .seed = 3});
  models::ResNetSmall<Cpu, 1, 2> net{Seed{7}};
  at<"fc.bias">(net).value() = Tensor<Cpu>(Shape{2}, {0, 5});  // so that the pictures with masks count
  const explain::Noise noise{.samples = 2};
  explain::Craft<"layer2"> craft{{.concepts = 3, .design = 8}};
  craft.fit(net, named(net, set, 1), 1);
  const auto scores =
      evaluate(net, set,
               metrics::Localisation{Layer2{}, explain::GradCamPlusPlus<"layer2">{}, explain::ScoreCam<"layer2">{},
                                     explain::RelevanceCam<"layer2">{}, explain::InputGradient{},
                                     explain::InputTimesGradient{}, explain::DeconvNet{}, explain::GuidedBackprop{},
                                     explain::GuidedGradCam<"layer2">{}, explain::IntegratedGradients{.steps = 3},
                                     explain::SmoothGrad{noise}, explain::VarGrad{noise}, explain::DeepLift{},
                                     explain::Lrp<>{}, explain::Lrp<explain::lrp::EpsilonGammaBox>{}, craft});
  REQUIRE(scores.localisation.size() == 16);
  const Index images = scores.localisation.front().images;
  REQUIRE(images > 0);
  for (const auto& row : scores.localisation) {
    CAPTURE(row.explainer);
    CHECK(row.images == images);
    CHECK(std::isfinite(row.rra));
    CHECK(std::isfinite(row.pointing));
  }
  CHECK(scores.localisation[12].explainer == "DeepLIFT");
  CHECK(scores.localisation[15].explainer == "CRAFT");
}

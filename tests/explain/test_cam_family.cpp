// Grad-CAM++ and Score-CAM against pytorch-grad-cam, Relevance-CAM against its formulas written out in torch
// (record_attributions.py).
#include "limn/explain/cam/cam_family.hpp"

#include <doctest/doctest.h>

#include "../backend/reference_conv.hpp"
#include "limn/explain/cam/relevance_cam.hpp"
#include "limn/models/resnet.hpp"
#include "recorded/attribution_net.hpp"

using namespace limn;
using namespace limn::testing;

namespace {

template <class Explainer, std::size_t N>
double off_from(const Explainer& explainer, const double (&expected)[N]) {
  std::vector<double> found;
  for (const auto& e : explainer(RecordedNet{}, recorded_images(), recorded_targets())) {
    REQUIRE(e.map.shape() == std::array<std::size_t, 2>{3, 4});
    REQUIRE(e.grid);
    CHECK(e.grid->rows.first == 0.5);  // in windows of two
    CHECK(e.grid->rows.step == 2);
    found.insert(found.end(), e.map.begin(), e.map.end());
  }
  CHECK(is_recording());
  return off(std::span<const double>(found), expected);
}

/// Largest difference between a batch and its pictures, as a share of the largest value.
template <class Explainer, class Net>
double apart_alone(const Explainer& explainer, const Net& net, const Tensor<Cpu>& x) {
  std::vector<Index> classes;
  for (Index i = 0; i < x.dim(0); ++i) classes.push_back(i % 2);
  const auto all = explainer(net, x, std::span<const Index>(classes));
  double worst = 0, largest = 0;
  for (Index i = 0; i < x.dim(0); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto alone = explainer(net, testing::picture(x, i), std::span<const Index>(&classes[at], 1));
    for (std::size_t p = 0; p < alone[0].map.size(); ++p) {
      largest = std::max(largest, std::abs(static_cast<double>(alone[0].map.data()[p])));
      worst = std::max(worst, std::abs(static_cast<double>(alone[0].map.data()[p] - all[at].map.data()[p])));
    }
  }
  REQUIRE(largest > 0);
  return worst / largest;
}

}  // namespace

TEST_CASE("Grad-CAM++ and Score-CAM agree with pytorch-grad-cam") {  // maps are float
  CHECK(off_from(explain::GradCamPlusPlus<"conv2">{}, recorded_attributions::grad_cam_plus_plus) < 1e-6);
  CHECK(off_from(explain::ScoreCam<"conv2">{}, recorded_attributions::score_cam) < 1e-6);
  CHECK(off_from(explain::ScoreCam<"conv2">{.batch = 3}, recorded_attributions::score_cam) < 1e-6);
}

TEST_CASE("Relevance-CAM agrees with its formulas; the authors' code counts the bias twice") {
  CHECK(off_from(explain::RelevanceCam<"conv2">{}, recorded_attributions::relevance_cam) < 1e-6);
  CHECK(off_from(explain::preset::relevance_cam_code<"conv2">(), recorded_attributions::relevance_cam_code) < 1e-6);
  CHECK(off_from(explain::RelevanceCam<"conv2">{}, recorded_attributions::relevance_cam_code) > 1e-3);
}

TEST_CASE("a batch is explained to the bit as its pictures are, and up to rounding with matrix products") {
  const auto check = [](const auto& net, const auto& larger_net, const auto& explainer, const auto& larger) {
    const WithoutWinograd off;
    CHECK(apart_alone(explainer, net, random_tensor<Cpu>({5, 12, 10, 1}, "batch")) == 0);
    CHECK(apart_alone(larger, larger_net, random_tensor<Cpu>({3, 40, 40, 1}, "larger")) < 1e-4);
  };
  Sequential<Conv2d<Cpu, 1, 6, 3, 1, 1>, BatchNorm2d<Cpu, 6>, Relu<Cpu>, Conv2d<Cpu, 6, 2, 3, 2>, Relu<Cpu>,
             GlobalAverage<Cpu>, Flatten<Cpu>>
      net;
  initialise(net, Seed{1});
  const models::ResNetSmall<Cpu, 1, 2> larger{Seed{2}};
  check(net, larger, explain::GradCamPlusPlus<"0">{}, explain::GradCamPlusPlus<"layer2">{});
  check(net, larger, explain::ScoreCam<"0">{}, explain::ScoreCam<"layer2">{});
  check(net, larger, explain::RelevanceCam<"0">{}, explain::RelevanceCam<"layer2">{});
}

TEST_CASE("classes that are not there, and layers without a map, are refused") {
  const std::vector<Index> wrong{0, 3};
  const auto message = [&](const auto& explainer, std::span<const Index> classes) {
    return message_of([&] { (void)explainer(RecordedNet{}, recorded_images(), classes); });
  };
  const char* const expected = "class_score: class 3, expected 0 to 2";
  CHECK(message(explain::GradCamPlusPlus<"conv2">{}, wrong) == expected);
  CHECK(message(explain::ScoreCam<"conv2">{}, wrong) == expected);
  CHECK(message(explain::RelevanceCam<"conv2">{}, wrong) == expected);
  CHECK(message(explain::GradCamPlusPlus<"fc">{}, recorded_targets()) ==
        "CAM: the layer gives (2, 3), expected a map (n, h, w, c)");
  CHECK(message(explain::RelevanceCam<"fc">{}, recorded_targets()) ==
        "Relevance-CAM: the layer gives (2, 3), expected a map (n, h, w, c)");
  CHECK(message(explain::ScoreCam<"conv2">{.batch = 0}, recorded_targets()) ==
        "Score-CAM: batch 0, expected 1 or more");
}

// Gradient, input x gradient, DeconvNet and guided Grad-CAM against Captum (record_attributions.py).
#include "limn/explain/gradients/gradient.hpp"

#include <doctest/doctest.h>

#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/explain/gradients/input_gradient.hpp"
#include "recorded/attribution_net.hpp"

using namespace limn;
using namespace limn::testing;

namespace {

template <class Explainer>
Tensor<CpuDouble> of(const Explainer& explainer) {
  return explainer.attributions(RecordedNet{}, recorded_images(), recorded_targets()).values;
}

}  // namespace

TEST_CASE("the net is the recorded one") {
  Run<CpuDouble> run;
  CHECK(off(run(RecordedNet{}, Var<CpuDouble>(recorded_images())).value(), recorded_attributions::logits) < 1e-9);
}

TEST_CASE("gradients agree with Captum") {
  CHECK(off(of(explain::InputGradient{}), recorded_attributions::gradient) < 1e-9);
  CHECK(off(of(explain::InputTimesGradient{}), recorded_attributions::input_times_gradient) < 1e-9);
  CHECK(off(of(explain::DeconvNet{}), recorded_attributions::deconvnet) < 1e-9);
  CHECK(off(of(explain::GuidedBackprop{}), recorded_attributions::deconvnet) > 1e-2);
  CHECK(off(of(explain::GuidedGradCam<"conv2">{}), recorded_attributions::guided_grad_cam) <
        1e-6);  // its maps are float
}

TEST_CASE("maps: absolute values for gradients, signed sums for contributions") {
  const auto gradient = explain::InputGradient{}(RecordedNet{}, recorded_images(), recorded_targets());
  const auto product = explain::InputTimesGradient{}(RecordedNet{}, recorded_images(), recorded_targets());
  REQUIRE(gradient[1].map.shape() == std::array<std::size_t, 2>{6, 8});
  const std::size_t last = 2 * 6 * 8 * 2 - 2;
  CHECK(gradient[1].map(5, 7) == doctest::Approx(std::abs(recorded_attributions::gradient[last]) +
                                                 std::abs(recorded_attributions::gradient[last + 1])));
  CHECK(product[1].map(5, 7) == doctest::Approx(recorded_attributions::input_times_gradient[last] +
                                                recorded_attributions::input_times_gradient[last + 1]));
  CHECK(!product[1].residual);
}

TEST_CASE("explainers record even where their caller does not") {
  const NoRecord no_record;
  CHECK(off(of(explain::InputGradient{}), recorded_attributions::gradient) < 1e-9);
  CHECK(off(of(explain::InputTimesGradient{}), recorded_attributions::input_times_gradient) < 1e-9);
  CHECK(off(of(explain::DeconvNet{}), recorded_attributions::deconvnet) < 1e-9);
  CHECK(!is_recording());
}

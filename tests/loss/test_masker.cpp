// What a masker learns from, against loops; masks of a masker in other losses; exact gradients.
#include <doctest/doctest.h>

#include "limn/explain/masker.hpp"
#include "limn/loss/explanation/align.hpp"
#include "small_net.hpp"

using namespace small;
using testing::message_of;

namespace {

/// A masker whose mask is known: sigmoid of a 1x1 convolution.
struct Tint {
  static constexpr int in_channels = channels, out_channels = 1;
  Conv2d<D, channels, 1, 1> conv;
  static constexpr auto fields = Fields{field<"conv">(&Tint::conv)};
  Var<D> operator()(const Var<D>& x, auto& run) const { return sigmoid(run(conv, x)); }
};
struct TooSmall : Tint {
  Var<D> operator()(const Var<D>& x, auto&) const { return slice(slice(x, 3, 0, 1), 1, 0, 2); }
};
struct Coloured : Tint {
  static constexpr int out_channels = 3;
};
static_assert(models::MaskNetwork<Tint> && models::MaskNetwork<TooSmall> && !models::MaskNetwork<Coloured>);
static_assert(models::MaskNetwork<models::Masker<Cpu, 1>> && !models::MaskNetwork<int> && !models::MaskNetwork<Net>);

std::vector<double> mask_by_hand(const Tint& masker, const Picture& x) {
  const auto& w = masker.conv.weight.value();
  std::vector<double> out;
  for (std::size_t p = 0; p < x.size() / channels; ++p) {
    double sum = masker.conv.bias.value().data()[0];
    for (Index c = 0; c < channels; ++c) sum += w.data()[c] * x[p * channels + static_cast<std::size_t>(c)];
    out.push_back(1 / (1 + std::exp(-sum)));
  }
  return out;
}

}  // namespace

TEST_CASE("evidence, area and variation against loops") {
  const auto net = network<Net>();
  const auto masker = network<Tint>();
  const models::Masked behind(net, masker);
  const Batch<D> data = batch();
  double evidence = 0, area = 0, variation = 0;
  for (Index i = 0; i < 5; ++i) {
    const Picture x = picture(data, i);
    const auto mask = mask_by_hand(masker, x);
    Picture kept = x, rest = x;
    for (std::size_t k = 0; k < x.size(); ++k) {
      kept[k] *= mask[k / channels];
      rest[k] *= 1 - mask[k / channels];
    }
    const Index label = data.labels[static_cast<std::size_t>(i)];
    const double gap = probability(said(net, kept).logits, label) - probability(said(net, rest).logits, label);
    evidence += (gap - 1) * (gap - 1) / 5;
    for (Index y = 0; y < height; ++y)
      for (Index x_at = 0; x_at < width; ++x_at) {
        const auto at = static_cast<std::size_t>(y * width + x_at);
        area += mask[at] / (5. * height * width);
        if (y > 0) variation += std::abs(mask[at] - mask[at - width]) / (5. * (height - 1) * width);
        if (x_at > 0) variation += std::abs(mask[at] - mask[at - 1]) / (5. * height * (width - 1));
      }
  }
  CHECK(value_of(MaskEvidence{}, behind, data).item() == doctest::Approx(evidence).epsilon(1e-12));
  CHECK(value_of(MaskArea{}, behind, data).item() == doctest::Approx(area).epsilon(1e-12));
  CHECK(value_of(MaskVariation{}, behind, data).item() == doctest::Approx(variation).epsilon(1e-12));
  CHECK(value_of(masker_loss({.area = .5f, .variation = 2}), behind, data).item() ==
        doctest::Approx(evidence + .5 * area + 2 * variation).epsilon(1e-12));
  const CheckResult error = gradient_error(masker_loss({.variation = .5f}), behind, data);
  CAPTURE(error.where);
  CHECK(error.error < 2e-6);
}

TEST_CASE("a picture of one pixel has no neighbours") {
  const auto net = network<Net>();
  const models::Masked behind(net, network<Tint>());
  const Batch<D> data{testing::random_tensor<D>({2, 1, 1, channels}, "x"), {1, 0}, {}, {}};
  CHECK(value_of(MaskVariation{}, behind, data).item() == 0);
}

TEST_CASE("behind a masker the classifier is asked as in prediction, and only the masker is owned") {
  const auto net = network<Normed>();
  const models::Masked behind(net, network<Tint>());
  for (const auto& leaf : leaves(behind)) CHECK(leaf.path.starts_with("masker."));
  const Batch<D> data = batch();
  Run<D> run, plain, of_mask;
  run.training = true;
  run.listen<"masker">(behind);
  const Var<D> logits = run(behind, Var<D>(data.images));
  const Var<D> mask = of_mask(behind.masker, Var<D>(data.images));
  CHECK(testing::same_bits(run.watched("masker").value(), mask.value()));
  CHECK(testing::same_bits(logits.value(), plain(net, Var<D>(data.images) * mask).value()));
  Run<D> other;
  const models::Masked cut(net, TooSmall{});
  CHECK(message_of([&] { (void)other(cut, Var<D>(data.images)); }) ==
        "masker: a mask of (5, 2, 5, 1) for pictures (5, 4, 5, 2), expected (5, 4, 5, 1)");
  const auto wrong = testing::random_tensor<D>({1, 4, 4, 3}, "wrong");
  CHECK(message_of([&] { (void)other(behind, Var<D>(wrong)); }).find("at masker.conv") != std::string::npos);
}

TEST_CASE("a term guided by a masker gets its masks, for every picture, and leaves it alone") {
  const auto net = network<Normed>();
  auto masker = network<Tint>();
  Batch<D> data = batch();
  const ExplanationLoss<GradCam<"2">, Bce> compare;
  const double guided = value_of(guided_by(masker, compare), net, data).item();
  Run<D> run;
  data.masks = run(masker, Var<D>(data.images)).value();
  data.has_mask.assign(5, 1);
  CHECK(guided == value_of(compare, net, data).item());
  CHECK(guided > 0);
  CHECK(std::string(decltype(guided_by(masker, compare))::name) == "bce");

  const auto by_masker = grad(value_of(guided_by(masker, compare), net, batch()), Var<D>(masker.conv.weight)).value();
  for (const double g : by_masker.span()) CHECK(g == 0);
  const auto losses = align_losses<GradCam<"2">>(masker, {.guidance = 2, .regulariser = .5f});
  const double ce = value_of(CrossEntropy{}, net, batch()).item(),
               dre = value_of(Dre<GradCam<"2">>{}, net, batch()).item();
  CHECK(value_of(losses.classifier, net, batch()).item() == doctest::Approx(ce + .5 * dre).epsilon(1e-12));
  CHECK(value_of(losses.guidance, net, batch()).item() == doctest::Approx(2 * guided).epsilon(1e-12));
  const CheckResult error = gradient_error(losses.classifier + losses.guidance, network<Normed>(), batch());
  CAPTURE(error.where);
  CHECK(error.error < 5e-6);
}

TEST_CASE("the mask as an explanation") {
  const auto net = network<Net>();
  const auto masker = network<Tint>();
  const Batch<D> data = batch();
  const auto maps = explain::MaskOf{masker}(net, data.images, std::span<const Index>(data.labels));
  REQUIRE(maps.size() == 5);
  for (Index i = 0; i < 5; ++i) {
    const auto mask = mask_by_hand(masker, picture(data, i));
    const auto& map = maps[static_cast<std::size_t>(i)].map;
    REQUIRE(map.size() == mask.size());
    for (std::size_t k = 0; k < mask.size(); ++k) CHECK(map.data()[k] == doctest::Approx(mask[k]).epsilon(1e-6));
  }
}

TEST_CASE("weights below 0 are refused") {
  const auto masker = network<Tint>();
  CHECK(message_of([] { (void)masker_loss({.area = -1}); }) ==
        "masker_loss: weights must be at least 0, got area -1 and variation 0.3");
  CHECK(message_of([&] { (void)align_losses<GradCam<"2">>(masker, {.guidance = -1}); }) ==
        "align_losses: weights must be at least 0, got guidance -1 and regulariser 0.3");
}

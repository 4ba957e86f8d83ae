// SHAP: partition SHAP against the shap package (recorded) and the definition of Owen values, inpainting by hand,
// gradient SHAP on functions whose answer is known.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/explain/gradients/gradient_shap.hpp"
#include "limn/explain/shap.hpp"
#include "limn/models/resnet.hpp"
#include "recorded/shap_fixtures.hpp"

using namespace limn;
using D = CpuDouble;
using explain::Explanation, explain::Output, explain::Shap;
using testing::message_of;

namespace {

/// The polynomial of record_shap.py: linear, products of pixels three apart, the cube of a sum.
/// Without a third order the tree of halves would not matter.
struct Polynomial {
  static constexpr auto fields = Fields{};

  Var<D> operator()(const Var<D>& image, auto&) const {
    const Var<D> x = flatten(image);  // (n, pixels)
    const Index count = x.dim(1);
    const Var<D> rolled = concat<D>({slice(x, 1, count - 3, 3), slice(x, 1, 0, count - 3)}, 1);
    std::vector<Var<D>> logits;
    for (int k = 0; k < 2; ++k) {
      Tensor<D> linear(Shape{1, count}), pairs(Shape{1, count}), cubed(Shape{1, count});
      for (Index i = 0; i < count; ++i) {
        const auto at = static_cast<double>(i);
        linear.data()[i] = std::sin(1.7 * at + k);
        pairs.data()[i] = std::cos(.9 * at + k);
        cubed.data()[i] = std::sin(.3 * at + k);
      }
      logits.push_back(sum(Var<D>(linear) * x, {1}) + sum(Var<D>(pairs) * x * rolled, {1}) +
                       pow(sum(Var<D>(cubed) * x, {1}), 3) * .1);
    }
    return concat<D>(logits, 1);
  }
};

/// Three times the first two pixels.
struct TwoPixels {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return slice(flatten(x), 1, 0, 2) * 3.; }
};

/// A weight for each of six pixels.
struct SixWeights {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    Tensor<D> weight(Shape{2, 6});
    for (Index i = 0; i < 12; ++i) weight.data()[i] = static_cast<double>(i) - 4;
    return limn::linear(flatten(x), Var<D>(weight));
  }
};

Tensor<D> wave(Index h, Index w) {
  Tensor<D> out(Shape{1, h, w, 1});
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = std::sin(.8 * static_cast<double>(i) + .2);
  return out;
}

Explanation of(const Shap& shap, const Tensor<D>& image, Index of_class = 1) {
  return shap(Polynomial{}, image, std::vector<Index>{of_class}).front();
}

Shap recorded_as(Index evaluations) {
  return {.evaluations = evaluations, .cover = {.value = .25f}, .of = Output::logit, .batch = 8};
}

void check_recorded(const Explanation& found, const std::vector<double>& expected) {
  REQUIRE(found.map.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(static_cast<double>(found.map.data()[i]) == doctest::Approx(expected[i]).epsilon(1e-5));
  REQUIRE(found.residual.has_value());
  CHECK(std::abs(*found.residual) < 1e-9);
}

/// Owen values by their definition: the mean over all orders in which, at every halving, either half comes first.
std::vector<double> owen(const Tensor<D>& image, double cover) {
  const Index h = image.dim(1), w = image.dim(2);
  const auto regions = explain::detail::halves(h, w);
  std::vector<std::size_t> inner;
  for (std::size_t r = 0; r < regions.size(); ++r)
    if (regions[r].first >= 0) inner.push_back(r);
  std::vector<double> out(static_cast<std::size_t>(h * w), 0);
  for (std::size_t orders = 0; orders < (std::size_t{1} << inner.size()); ++orders) {
    std::vector<Index> order;
    std::vector<int> stack{0};
    while (!stack.empty()) {
      const auto r = static_cast<std::size_t>(stack.back());
      stack.pop_back();
      if (regions[r].first < 0) {
        order.push_back(regions[r].top * w + regions[r].left);
        continue;
      }
      const auto bit = static_cast<std::size_t>(std::find(inner.begin(), inner.end(), r) - inner.begin());
      const bool swapped = (orders >> bit & 1) != 0;
      stack.push_back(swapped ? regions[r].first : regions[r].second);
      stack.push_back(swapped ? regions[r].second : regions[r].first);
    }
    Tensor<D> picture(image.shape(), cover);
    Run<D> run;
    double before = run(Polynomial{}, Var<D>(picture)).value()(0, 1);
    for (const Index pixel : order) {
      picture = picture.clone();
      picture.data()[pixel] = image.data()[pixel];
      const double after = run(Polynomial{}, Var<D>(picture)).value()(0, 1);
      out[static_cast<std::size_t>(pixel)] += (after - before) / static_cast<double>(std::size_t{1} << inner.size());
      before = after;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("partition SHAP agrees with the shap package, with all evaluations and with few") {
  check_recorded(of(recorded_as(100000), wave(4, 3)), recorded::shap::exact_4x3);
  check_recorded(of(recorded_as(100000), wave(2, 5)), recorded::shap::exact_2x5);
  check_recorded(of(recorded_as(40), wave(6, 5)), recorded::shap::few_6x5);
  check_recorded(of(recorded_as(101), wave(8, 8)), recorded::shap::few_8x8);
}

TEST_CASE("with all evaluations they are Owen values") {
  check_recorded(of(recorded_as(100000), wave(2, 3)), owen(wave(2, 3), .25));
  check_recorded(of(recorded_as(100000), wave(3, 3)), owen(wave(3, 3), .25));
}

TEST_CASE("of a probability they add up to its difference, and pixels that do nothing get nothing") {
  const Tensor<D> image = wave(5, 4);
  for (const auto with : {FillWith::constant, FillWith::mean, FillWith::blur, FillWith::inpaint}) {
    const Explanation e = of({.evaluations = 30, .cover = {.with = with}}, image);
    CHECK(std::abs(*e.residual) < 1e-12);
  }
  const auto map = Shap{.evaluations = 1000, .of = Output::logit}(TwoPixels{}, image, std::vector<Index>{1})[0].map;
  for (std::size_t i = 0; i < map.size(); ++i) CHECK((std::abs(map.data()[i]) > 1e-9f) == (i == 1));
}

TEST_CASE("a picture is explained in a batch as it is alone") {
  const models::ResNetSmall<Cpu, 1, 2> net{Seed{1}};
  const Tensor<Cpu> images = testing::random_tensor<Cpu>({3, 32, 32, 1}, "images");
  const Shap shap{.evaluations = 40};
  const auto all = shap(net, images, std::vector<Index>{0, 1, 1});
  for (Index i = 0; i < 3; ++i) {
    const auto one = shap(net, testing::picture(images, i), std::vector<Index>{i > 0});
    CHECK(one[0].map == all[static_cast<std::size_t>(i)].map);
  }
  const explain::GradientShap gradient{.samples = 3, .deviation = .1};
  const auto values = gradient.attributions(net, images, std::vector<Index>{0, 1, 1}).values;
  for (Index i = 0; i < 3; ++i)
    CHECK(testing::difference(gradient.attributions(net, testing::picture(images, i), std::vector<Index>{i > 0}).values,
                              testing::picture(values, i)) < 1e-5);
}

TEST_CASE("inpainting continues what is visible") {
  // A row 1 2 _ _: the hidden pair has no visible pixel at its scale, so it gets the mean of the pair before, 1.5.
  double row[] = {1, 2, 50, 60};
  inpaint<double>(row, std::vector<std::uint8_t>{0, 0, 1, 1}, 1, 4, 1);
  CHECK(row[0] == 1);
  CHECK(row[1] == 2);
  CHECK(row[2] == doctest::Approx(1.5));
  CHECK(row[3] == doctest::Approx(1.5));
  // 1 _ 5 _: pairs are 1 and 5; the hidden ones lie at .25 and .75 + .5 (which is clamped) of the way.
  double pairs[] = {1, 50, 5, 60};
  inpaint<double>(pairs, std::vector<std::uint8_t>{0, 1, 0, 1}, 1, 4, 1);
  CHECK(pairs[1] == doctest::Approx(2));
  CHECK(pairs[3] == doctest::Approx(5));
  // Nothing visible: the mean of every channel. One colour stays one colour.
  double nothing[] = {1, 10, 2, 20, 6, 60};
  inpaint<double>(nothing, std::vector<std::uint8_t>{1, 1, 1}, 3, 1, 2);
  CHECK(nothing[0] == doctest::Approx(3));
  CHECK(nothing[5] == doctest::Approx(30));
  std::vector<float> grey(7 * 5, .25f);
  std::vector<std::uint8_t> hidden(7 * 5, 0);
  for (std::size_t i = 3; i < 30; i += 2) grey[i] = 9, hidden[i] = 1;
  inpaint<float>(grey.data(), hidden, 7, 5, 1);
  for (const float v : grey) CHECK(v == doctest::Approx(.25));
}

TEST_CASE("gradient SHAP of a linear function is exact: weight times the picture less the mean of the background") {
  const Tensor<D> image = wave(2, 3);
  const auto zero = explain::GradientShap{.samples = 2}.attributions(SixWeights{}, image, std::vector<Index>{1});
  for (Index i = 0; i < 6; ++i)
    CHECK(zero.values.data()[i] == doctest::Approx(static_cast<double>(i + 2) * image.data()[i]));
  CHECK(std::abs(zero.residual[0]) < 1e-12);
  const explain::GradientShap one{.samples = 5, .background = Tensor<Cpu>(Shape{1, 2, 3, 1}, .5f)};
  const auto half = one.attributions(SixWeights{}, image, std::vector<Index>{1});
  for (Index i = 0; i < 6; ++i)
    CHECK(half.values.data()[i] == doctest::Approx(static_cast<double>(i + 2) * (image.data()[i] - .5)));
  // On the polynomial the residual shrinks as the samples grow: the mean of 5,000 is within its noise.
  const auto many = explain::GradientShap{.samples = 5000}.attributions(Polynomial{}, image, std::vector<Index>{1});
  const auto few = explain::GradientShap{.samples = 3}.attributions(Polynomial{}, image, std::vector<Index>{1});
  CHECK(std::abs(many.residual[0]) < .05);
  CHECK(std::abs(many.residual[0]) < std::abs(few.residual[0]));
}

TEST_CASE("what cannot be done is refused") {
  const Tensor<D> image = wave(2, 3);
  CHECK(message_of([&] { (void)of({.evaluations = 1}, image); }) ==
        "SHAP: 1 evaluations in batches of 32, expected at least 2 of both");
  CHECK(message_of([&] { (void)of({}, image, 2); }) == "SHAP: class 2, expected 0 to 1");
  CHECK(message_of([&] {
          (void)Shap{}(Polynomial{}, image, std::vector<Index>{0, 1});
        }) == "SHAP: images (1, 2, 3, 1), but 2 classes");
  CHECK(message_of([&] {
          (void)filled(image, {.with = FillWith::inpaint});
        }).starts_with("fill: inpainting is not possible here"));
  const explain::GradientShap other{.background = Tensor<Cpu>(Shape{1, 3, 2, 1}, 0.f)};
  CHECK(message_of([&] { (void)other.attributions(Polynomial{}, image, std::vector<Index>{1}); }) ==
        "gradient SHAP: a background (1, 3, 2, 1) for images (1, 2, 3, 1)");
}

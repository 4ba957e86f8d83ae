// LapExpertSupervision against Eq. 8 written in naive loops, by hand, at its edges, and its gradient.
#include <doctest/doctest.h>

#include "laps.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/lap_expert.hpp"

using namespace limn;
using testing::make_pass, testing::message_of, testing::random_tensor, testing::to_naive;
using D = CpuDouble;

namespace {

/// Rectangles of different sizes, one per sample.
Tensor<D> rectangles(Index n, Index size) {
  Tensor<D> out(Shape{n, size, size, 1}, 0.);
  for (Index i = 0; i < n; ++i)
    for (Index y = i; y < std::min(size, 4 + 3 * i); ++y)
      for (Index x = 2 * i % 5; x < std::min(size, 2 * i % 5 + 3 + i); ++x) out(i, y, x, 0) = 1;
  return out;
}

void annotate(testing::Pass<D>& pass, Tensor<D> masks, std::vector<std::uint8_t> has) {
  pass.run.pooled(Var<D>(masks), Window{});  // the picture
  pass.batch.masks = std::move(masks);
  pass.batch.has_mask = std::move(has);
}

Tensor<D> gradient(const testing::Pass<D>& pass, const LapSupervisionOptions& options = {}) {
  return grad(LapExpertSupervision{options}(pass.step()), pass.run.laps[0].logits).value();
}

}  // namespace

TEST_CASE("random maps: the loss is Eq. 8, and Eq. 4 and 5 for samples without a mask") {
  static constexpr auto clues = lap::one_vs_others<3>();
  const std::vector<Index> labels{0, 2, 1, 2, 0};
  const naive::Shares shares{10, 50, 10, true};
  for (const bool windows : {false, true})
    for (const std::vector<std::uint8_t>& has :
         std::vector<std::vector<std::uint8_t>>{{1, 1, 1, 1, 1}, {1, 0, 1, 1, 0}, {0, 1, 0, 0, 0}, {0, 0, 0, 0, 0}}) {
      auto pass = make_pass<D>(labels);
      annotate(pass, rectangles(5, 16), has);
      for (const Index size : {16, 8, 4, 2}) {
        const Var<D> map = random_tensor<D>({5, size, size, 3}, text("map", size));
        pass.run.laps.push_back({map, {}, clues.table()});
        if (windows) pass.run.pooled(map, Window::square(3, 2, 1));
      }
      const double expected =
          naive::expert(to_naive(pass.run, windows ? 0 : .5), to_naive(clues.table()), {labels.begin(), labels.end()},
                        to_naive(pass.batch.masks), {has.begin(), has.end()}, shares);
      const LapSupervisionOptions options{.reference = Reference::own};
      CHECK(LapExpertSupervision{options}(pass.step()).item() == doctest::Approx(expected).epsilon(1e-10));
      if (has == std::vector<std::uint8_t>(5, 0))
        CHECK(LapSupervision{options}(pass.step()).item() == doctest::Approx(expected).epsilon(1e-10));
    }
}

TEST_CASE("by hand: two samples with the clue, one marked, and one without it") {
  // Four elements, importance p = 1/2 everywhere but where said. Sample 0 (marked: elements 0 and 1): up by
  // 2 / (2 * 2) (1 - p) each, elements 2 and 3 down by 1 / (2 * 2) p. Sample 1 (no mask; .8 on element 3, .2 on element
  // 0): K = 1 of 4 each: element 3 up by 2 / 2 (1 - .8), element 0 down by .2 / 2. Sample 2, without the clue (.8 on
  // element 2): as many as are marked on average, 2: element 2 and the first other, by 1 / 2 p.
  const double logit = std::log(4.);
  Tensor<D> logits(Shape{3, 2, 2, 1}, 0.);
  logits.data()[7] = logit;
  logits.data()[4] = -logit;
  logits.data()[10] = logit;
  auto pass = make_pass<D>({1, 1, 0});
  pass.run.laps.push_back({leaf(logits), {}, testing::one_clue.table()});
  Tensor<D> masks(Shape{3, 2, 2, 1}, 0.);
  masks.data()[0] = masks.data()[1] = 1;
  annotate(pass, masks, {1, 0, 0});
  const Tensor<D> d = gradient(pass, {.min_active = .25f, .max_active = .75f, .inactive = .1f});
  const double expected[] = {-.25, -.25, .125, .125, .1, 0, 0, -.2, .25, 0, .4, 0};
  for (Index i = 0; i < 12; ++i) CHECK(d.data()[i] == doctest::Approx(expected[i]));
}

TEST_CASE(
    "a finding smaller than an element marks the one it lies in, a picture full of it leaves nothing to push down") {
  Tensor<D> masks(Shape{2, 32, 32, 1}, 0.);
  masks(0, 19, 3, 0) = 1;
  std::fill_n(masks.data() + 1024, 1024, 1.);
  auto pass = make_pass<D>({1, 1});
  pass.run.laps.push_back({leaf(Tensor<D>(Shape{2, 4, 4, 1}, 0.)), {}, testing::one_clue.table()});
  annotate(pass, masks, {1, 1});
  const Tensor<D> d = gradient(pass);
  for (Index e = 0; e < 16; ++e) {
    CHECK(d.data()[e] == doctest::Approx(e == 8 ? -.5 : .5 / 2 / 15));
    CHECK(d.data()[16 + e] == doctest::Approx(-.5 / 16));
  }
}

TEST_CASE("elements are marked where they lie") {
  // A strip of columns 7 to 9 of 16. Elements that share the picture have their middles at 3.5 and 11.5 and see little
  // of it, both the same; after three windows of 3 with stride 2 they lie at pixels 0 and 8.
  Tensor<D> masks(Shape{1, 16, 16, 1}, 0.);
  for (Index y = 0; y < 16; ++y)
    for (Index x = 7; x < 10; ++x) masks(0, y, x, 0) = 1;
  auto pass = make_pass<D>({1});
  annotate(pass, masks, {1});
  pass.run.laps.push_back({leaf(Tensor<D>(Shape{1, 2, 2, 1}, 0.)), {}, testing::one_clue.table()});
  for (const Index size : {16, 8, 4})
    pass.run.pooled(Var<D>(Tensor<D>(Shape{1, size, size, 1}, 0.)), Window::square(3, 2, 1));
  const Tensor<D> d = gradient(pass);
  for (Index e = 0; e < 4; ++e) CHECK(d.data()[e] == doctest::Approx(e % 2 == 1 ? -.5 : .25));
}

TEST_CASE("an empty mask is none, and the discriminative scorer learns as ever") {
  auto pass = make_pass<D>({1, 0});
  const Var<D> own = leaf(random_tensor<D>({2, 4, 4, 1}, "own")), twin = leaf(random_tensor<D>({2, 4, 4, 1}, "twin"));
  pass.run.laps.push_back({own, twin, testing::one_clue.table()});
  annotate(pass, Tensor<D>(Shape{2, 8, 8, 1}, 0.), {1, 1});
  const double weak = LapSupervision{}(pass.step()).item();
  CHECK(LapExpertSupervision{}(pass.step()).item() == weak);
  CHECK(std::isfinite(weak));
  const auto of_twin = [&](const Var<D>& value) { return grad(value, twin).value(); };
  const Tensor<D> before = of_twin(LapSupervision{}(pass.step()));
  annotate(pass, rectangles(2, 8), {1, 1});
  CHECK(LapExpertSupervision{}(pass.step()).item() != weak);
  CHECK(testing::same_bits(of_twin(LapExpertSupervision{}(pass.step())), before));
}

TEST_CASE("a term that is switched off is off for samples with masks too") {
  auto pass = make_pass<D>({1, 0});
  pass.run.laps.push_back({leaf(random_tensor<D>({2, 4, 4, 1}, "own")), {}, testing::one_clue.table()});
  annotate(pass, rectangles(2, 8), {1, 1});
  CHECK(LapExpertSupervision{{0, 1, 0}}(pass.step()).item() == 0);
  const Tensor<D> only_up = gradient(pass, {.1f, 1, 0});
  for (const double v : only_up.span()) CHECK(v <= 0);
  const double up = LapExpertSupervision{{.1f, 1, 0}}(pass.step()).item(),
               down = LapExpertSupervision{{0, .5f, 0}}(pass.step()).item(),
               absent = LapExpertSupervision{{0, 1, .1f}}(pass.step()).item();
  CHECK(LapExpertSupervision{}(pass.step()).item() == doctest::Approx(up + down + absent));
}

TEST_CASE_TEMPLATE("logits of any size, ties and absent clues: finite values and gradients", B, Cpu, CpuDouble) {
  using S = typename B::scalar;
  for (const double size : {1e4, -1e4, 0.})
    for (const std::vector<Index>& labels : {std::vector<Index>{1, 0}, {1, 1}, {0, 0}}) {
      auto pass = make_pass<B>(labels);
      pass.run.laps.push_back({leaf(Tensor<B>(Shape{2, 3, 3, 1}, S(size))), {}, testing::one_clue.table()});
      pass.batch.masks = Tensor<B>(Shape{2, 6, 6, 1}, S(0));
      pass.batch.masks.data()[14] = pass.batch.masks.data()[36 + 20] = 1;
      pass.batch.has_mask = {1, 1};
      const Var<B> value = LapExpertSupervision{}(pass.step());
      CHECK(std::isfinite(value.item()));
      const Tensor<B> d = grad(value, pass.run.laps[0].logits).value();
      for (const auto v : d.span()) CHECK(std::isfinite(v));
    }
}

TEST_CASE("the gradient agrees with differences, the chosen elements held fixed") {
  const auto apart = [](const Shape& shape, Index stride) {
    Tensor<D> t(shape);
    for (Index i = 0; i < t.size(); ++i) t.data()[i] = 0.05 * static_cast<double>(i * stride % t.size()) - 1.3;
    return t;
  };
  const Differentiable f = [&](const std::vector<Var<D>>& x) -> std::vector<Var<D>> {
    auto pass = make_pass<D>({1, 0, 1});
    annotate(pass, rectangles(3, 10), {1, 1, 0});
    pass.run.laps.push_back({x[0], x[1], testing::one_clue.table()});
    pass.run.laps.push_back({x[2], {}, testing::one_clue.table()});
    return {LapExpertSupervision{{.2f, .6f, .3f}}(pass.step())};
  };
  const std::vector<Tensor<D>> at{apart({3, 5, 5, 1}, 7), apart({3, 5, 5, 1}, 11), apart({3, 3, 2, 1}, 5)};
  CHECK(check_gradient(f, at).error < 1e-8);
  CHECK(check_second_order(f, at).error < 1e-8);
}

TEST_CASE("what cannot be is refused") {
  auto pass = make_pass<D>({1, 0});
  pass.run.laps.push_back({random_tensor<D>({2, 4, 4, 1}, "own"), {}, testing::one_clue.table()});
  annotate(pass, rectangles(1, 8), {1});
  CHECK(message_of([&] { (void)LapExpertSupervision{}(pass.step()); }) ==
        "lap_expert_supervision: 2 labels, but masks of (1, 8, 8, 1), 1 of them given");
  CHECK(message_of([&] { (void)LapExpertSupervision{{.inactive = -1}}(pass.step()); }) ==
        "lap_expert_supervision: shares must be 0 to 1, got min_active 0.1, max_active 0.5, inactive -1, warm_up 0");
}

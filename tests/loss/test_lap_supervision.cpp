// LapSupervision against the paper written in naive loops, at its edges, and its gradient.
#include <doctest/doctest.h>

#include "laps.hpp"
#include "limn/autograd/check.hpp"

using namespace limn;
using testing::make_pass, testing::random_tensor, testing::to_naive;
using D = CpuDouble;

namespace {

struct Case {
  std::vector<std::pair<Index, Index>> sizes;
  const char* what;
  Window window = {};
};
const Case depths[] = {{{{6, 5}}, "one LAP"},
                       {{{8, 8}, {4, 4}, {2, 2}, {1, 1}}, "halves"},
                       {{{8, 12}, {4, 6}, {2, 3}}, "pooled by windows", Window::square(3, 2, 1)},
                       {{{7, 5}, {4, 3}, {3, 3}}, "sizes that do not divide"}};
const naive::Shares all_shares[] = {{10, 50, 10}, {10, 100, 10}, {33, 70, 90}, {100, 0, 100},
                                    {0, 50, 10},  {10, 50, 0},   {5, 99, 5},   {0, 100, 0}};

LapSupervision loss_of(const naive::Shares& s) {
  const auto share = [](long percent) { return static_cast<float>(percent) / 100.f; };
  return {
      {share(s.min_active), share(s.max_active), share(s.inactive), s.own ? Reference::own : Reference::sum_of_all}};
}

void check_random(const ClueTable& clues, const std::vector<Index>& labels) {
  for (const Case& c : depths)
    for (const bool twin : {true, false}) {
      auto pass = make_pass<D>(labels);
      for (const auto& [h, w] : c.sizes) {
        const Shape shape{static_cast<Index>(labels.size()), h, w, clues.clues};
        pass.run.laps.push_back({Var<D>(random_tensor<D>(shape, text(c.what, h))),
                                 twin ? Var<D>(random_tensor<D>(shape, text("twin", c.what, h))) : Var<D>(), clues});
        if (c.window.stride_h > 1) pass.run.pooled(pass.run.laps.back().logits, c.window);
      }
      for (naive::Shares shares : all_shares)
        for (const bool own : {true, false}) {
          shares.own = own;
          CAPTURE(c.what);
          CAPTURE(shares.min_active);
          CAPTURE(shares.max_active);
          const double expected = naive::supervision(to_naive(pass.run, c.window.stride_h > 1 ? 0 : .5),
                                                     to_naive(clues), {labels.begin(), labels.end()}, shares);
          CHECK(loss_of(shares)(pass.step()).item() == doctest::Approx(expected).epsilon(1e-10));
        }
    }
}

/// One LAP of one clue without a twin.
template <Backend B>
auto single(const Tensor<B>& logits, std::vector<Index> labels) {
  auto pass = make_pass<B>(std::move(labels));
  pass.run.laps.push_back({leaf(logits), {}, testing::one_clue.table()});
  return pass;
}

}  // namespace

TEST_CASE("one clue: the loss is Eq. 4 and 5 with Algorithm 2 and appendix C.5") {
  check_random(testing::one_clue.table(), {1, 0, 0, 1, 1});
}

TEST_CASE("three clues: the same") { check_random(testing::three_clues.table(), {0, 2, 1, 2, 0}); }

TEST_CASE("three clues with an indifferent class: the same") {
  static constexpr ClueSystem<2, 3> clues{{1, -1, 0, 0, 1, -1}};
  check_random(clues.table(), {0, 2, 1, 2, 1});
}

TEST_CASE("by hand: two samples, four elements") {
  // Present: importances .9 .8 .3 .4. MinAR .25: K = 1, -2 ln .9. MaxAR .5: K = 2, the lowest are .3 and .4:
  // -(ln .7 + ln .6) / 2. Absent: .2 .6 .5 .1, IAR .5: K = 2, the highest are .6 and .5: -(ln .4 + ln .5) / 2.
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  const Tensor<D> logits(Shape{2, 2, 2, 1},
                         {logit(.9), logit(.8), logit(.3), logit(.4), logit(.2), logit(.6), logit(.5), logit(.1)});
  const auto pass = single<D>(logits, {1, 0});
  const LapSupervision loss{{.min_active = .25f, .max_active = .5f, .inactive = .5f}};
  CHECK(loss(pass.step()).item() ==
        doctest::Approx(-2 * std::log(.9) - (std::log(.7) + std::log(.6)) / 2 - (std::log(.4) + std::log(.5)) / 2));
  // The gradient: importance - 1 where active, importance where silent, with the same factors; 0 where not chosen.
  const Tensor<D> d = grad(loss(pass.step()), pass.run.laps[0].logits).value();
  const double expected[] = {2 * (.9 - 1), 0, .3 / 2, .4 / 2, 0, .6 / 2, .5 / 2, 0};
  for (Index i = 0; i < 8; ++i) CHECK(d.data()[i] == doctest::Approx(expected[i]));
}

TEST_CASE("of equal elements the first are taken, for the largest and for the smallest") {
  const auto pass = single<D>(Tensor<D>(Shape{1, 2, 3, 1}, 0.), {1});
  const LapSupervision loss{{.min_active = .34f, .max_active = 1, .inactive = 0}};  // K = ceil(2.04) = 3
  const Tensor<D> up = grad(loss(pass.step()), pass.run.laps[0].logits).value();
  for (Index i = 0; i < 6; ++i) CHECK(up.data()[i] == doctest::Approx(i < 3 ? 2. / 3 * -.5 : 0));
  const LapSupervision quiet{{.min_active = 0, .max_active = .5f, .inactive = 0}};  // K = 3
  const Tensor<D> down = grad(quiet(pass.step()), pass.run.laps[0].logits).value();
  for (Index i = 0; i < 6; ++i) CHECK(down.data()[i] == doctest::Approx(i < 3 ? .5 / 3 : 0));
}

TEST_CASE("shares are rounded up as written: a tenth of ten elements is one") {
  Tensor<D> logits(Shape{1, 2, 5, 1});
  for (Index i = 0; i < 10; ++i) logits.data()[i] = static_cast<double>(i);
  const auto pass = single<D>(logits, {1});
  const Tensor<D> d = grad(LapSupervision{{.1f, 1, 0}}(pass.step()), pass.run.laps[0].logits).value();
  for (Index i = 0; i < 9; ++i) CHECK(d.data()[i] == 0);
  CHECK(d.data()[9] < 0);
}

TEST_CASE("a map of one element holds every K") {
  // n_e = 1: every K is 1, present: -2 ln p - ln(1 - p); absent: -ln(1 - p). p = 1/2.
  const LapSupervision loss{{.min_active = .1f, .max_active = .5f, .inactive = .1f}};
  CHECK(loss(single<D>(Tensor<D>(Shape{1, 1, 1, 1}, 0.), {1}).step()).item() == doctest::Approx(3 * std::log(2.)));
  CHECK(loss(single<D>(Tensor<D>(Shape{1, 1, 1, 1}, 0.), {0}).step()).item() == doctest::Approx(std::log(2.)));
}

TEST_CASE("a clue that no sample has, or all have, contributes what it can and no NaN") {
  const Tensor<D> logits = random_tensor<D>({3, 4, 4, 1}, "logits");
  const LapSupervision only_present{{.min_active = .1f, .max_active = .5f, .inactive = 0}};
  CHECK(only_present(single<D>(logits, {0, 0, 0}).step()).item() == 0);
  const LapSupervision only_absent{{.min_active = 0, .max_active = 1, .inactive = .1f}};
  CHECK(only_absent(single<D>(logits, {1, 1, 1}).step()).item() == 0);
  CHECK(std::isfinite(LapSupervision{}(single<D>(logits, {0, 0, 0}).step()).item()));
}

TEST_CASE("everything off is zero, and so is its gradient") {
  const auto pass = single<D>(random_tensor<D>({2, 4, 4, 1}, "logits"), {0, 1});
  const Var<D> value = LapSupervision{{0, 1, 0}}(pass.step());
  CHECK(value.item() == 0);
  const Tensor<D> d = grad(value, pass.run.laps[0].logits).value();
  for (const double v : d.span()) CHECK(v == 0);
}

TEST_CASE("while the training warms up, only the discriminative scorer learns") {
  auto pass = make_pass<D>({0, 1});
  const Var<D> own = leaf(random_tensor<D>({2, 4, 4, 1}, "own")), twin = leaf(random_tensor<D>({2, 4, 4, 1}, "twin"));
  pass.run.laps.push_back({own, twin, testing::one_clue.table()});
  const auto at = [&](double progress) {
    const Var<D> value = LapSupervision{{.warm_up = .25f}}(Step<D>{pass.batch, pass.logits, pass.run, progress});
    const auto gradients = grad<D>({value}, {own, twin});
    const auto moves = [](const Var<D>& g) {
      return std::any_of(g.value().span().begin(), g.value().span().end(), [](double v) { return v != 0; });
    };
    return std::tuple{value.item(), moves(gradients[0]), moves(gradients[1])};
  };
  CHECK(at(0) == at(.24));
  CHECK_FALSE(std::get<1>(at(.24)));
  CHECK(std::get<2>(at(.24)));
  CHECK(at(.25) == at(1));
  CHECK(std::get<1>(at(.25)));
  CHECK(std::get<0>(at(1)) == LapSupervision{}(pass.step()).item());
}

TEST_CASE_TEMPLATE("logits of any size give finite values and gradients", B, Cpu, CpuDouble) {
  for (const double size : {1e4, -1e4}) {
    Tensor<B> logits(Shape{2, 3, 3, 1}, static_cast<typename B::scalar>(size));
    const auto pass = single<B>(logits, {1, 0});
    const Var<B> value = LapSupervision{}(pass.step());
    // Present: MinAR pays 2 * 1e4 for a silent map, MaxAR 1e4 for an active one; absent: IAR pays 1e4 for an active
    // one.
    CHECK(value.item() == doctest::Approx(2e4));
    const Var<B> gradient = grad(value, pass.run.laps[0].logits);
    for (const auto v : gradient.value().span()) CHECK(std::isfinite(v));
  }
}

TEST_CASE("the gradient agrees with differences, the chosen elements held fixed") {
  // All values of a map are 0.05 apart or more, so no step of 1e-5 changes an order.
  const auto apart = [](const Shape& shape, Index stride) {
    Tensor<D> t(shape);
    for (Index i = 0; i < t.size(); ++i) t.data()[i] = 0.05 * static_cast<double>(i * stride % t.size()) - 1.3;
    return t;
  };
  const std::vector<Tensor<D>> at{apart({2, 5, 5, 1}, 7), apart({2, 5, 5, 1}, 11), apart({2, 3, 2, 1}, 5)};
  for (const Reference reference : {Reference::own, Reference::sum_of_all}) {
    const Differentiable f = [&](const std::vector<Var<D>>& x) -> std::vector<Var<D>> {
      auto pass = make_pass<D>({1, 0});
      pass.run.laps.push_back({x[0], x[1], testing::one_clue.table()});
      pass.run.laps.push_back({x[2], {}, testing::one_clue.table()});
      return {LapSupervision{{.2f, .6f, .3f, reference}}(pass.step())};
    };
    CHECK(check_gradient(f, at).error < 1e-8);
    CHECK(check_second_order(f, at).error < 1e-8);
  }
}

TEST_CASE("what cannot be is refused") {
  const auto pass = single<D>(random_tensor<D>({2, 4, 4, 1}, "logits"), {0, 1});
  CHECK(testing::message_of([&] { (void)LapSupervision{{.min_active = 1.5f}}(pass.step()); }) ==
        "lap_supervision: shares must be 0 to 1, got min_active 1.5, max_active 0.5, inactive 0.1, "
        "warm_up 0");
  CHECK(testing::message_of([&] {
          (void)LapSupervision{}(make_pass<D>({0, 1}).step());
        }) == "lap_supervision: the network has no LAP (use pool::Lap)");
  CHECK(testing::message_of([&] {
          (void)LapSupervision{}(single<D>(random_tensor<D>({2, 4, 4, 1}, "logits"), {0, 1, 1}).step());
        }) == "lap_supervision: 3 labels for maps (2, 4, 4, 1)");
  CHECK(testing::message_of([&] {
          (void)LapSupervision{}(single<D>(random_tensor<D>({2, 4, 4, 1}, "logits"), {0, 2}).step());
        }) == "lap_supervision: label 2, but the clues are for 2 classes");
}

// The losses of LAPs where numbers or batches are extreme: values by hand, everything finite.
#include <doctest/doctest.h>

#include "laps.hpp"
#include "limn/nn/lap.hpp"

using namespace limn;
using testing::make_pass, testing::random_tensor;
using D = CpuDouble;

namespace {

template <class B>
void check_finite(const Var<B>& value, const std::vector<Var<B>>& with_respect_to) {
  CHECK(std::isfinite(value.item()));
  for (const Var<B>& gradient : grad<B>({value}, with_respect_to))
    for (const auto v : gradient.value().span()) CHECK(std::isfinite(v));
}

}  // namespace

TEST_CASE_TEMPLATE("concordance of maps that are sure of the opposite, by hand", B, Cpu, CpuDouble) {
  using S = typename B::scalar;
  // (1 - 0) (1e4 + 1e4) / 2 in every element; equal maps cost nothing, however sure.
  for (const double deep : {-1e4, 1e4}) {
    auto pass = make_pass<B>({1, 0});
    const Var<B> a = leaf(Tensor<B>(Shape{2, 4, 4, 1}, S(1e4))), b = leaf(Tensor<B>(Shape{2, 2, 2, 1}, S(deep)));
    pass.run.laps.push_back({a, {}, testing::one_clue.table()});
    pass.run.laps.push_back({b, {}, testing::one_clue.table()});
    const Var<B> value = LapConcordance{}(pass.step());
    CHECK(value.item() == doctest::Approx(deep < 0 ? 1e4 : 0));
    check_finite<B>(value, {a, b});
    // Of the sum of a sample's elements, p - r = 1 times a half, divided by 2 samples and 16 elements.
    const Tensor<B> d = grad(LapConcordance{}(pass.step()), a).value();
    for (const auto v : d.span()) CHECK(v == doctest::Approx(deep < 0 ? .5 / 32 : 0));
  }
}

TEST_CASE("concordance of one LAP is nothing") {
  auto pass = make_pass<D>({1});
  pass.run.laps.push_back({leaf(random_tensor<D>({1, 4, 4, 1}, "a")), {}, testing::one_clue.table()});
  CHECK(LapConcordance{}(pass.step()).item() == 0);
}

TEST_CASE_TEMPLATE("supervision of several depths with twins, at any size of logits and with any labels", B, Cpu,
                   CpuDouble) {
  using S = typename B::scalar;
  for (const double size : {0., 1e4, -1e4})
    for (const std::vector<Index>& labels : {std::vector<Index>{0, 1}, {0, 0}, {2, 2}, {1, 2}})
      for (const Reference reference : {Reference::sum_of_all, Reference::own}) {
        auto pass = make_pass<B>(labels);
        std::vector<Var<B>> all;
        for (const Index extent : {4, 2, 1}) {  // K of one element is that element
          for (const double sign : {1., -1.})
            all.push_back(leaf(Tensor<B>(Shape{2, extent, extent, 3}, S(sign * size))));
          pass.run.laps.push_back({all[all.size() - 2], all.back(), testing::three_clues.table()});
        }
        const Var<B> value = LapSupervision{{.reference = reference}}(pass.step());
        check_finite<B>(value, all);
        CHECK(value.item() > 0);
      }
}

TEST_CASE("all elements alike: every depth takes the first ones, and the value is the same for any order") {
  // p = 1/2 everywhere: each term is a mean of ln 2, whatever K: present (2 + 1) ln 2, absent ln 2.
  for (const auto& [h, w] : {std::pair<Index, Index>{1, 1}, {3, 5}, {8, 8}}) {
    auto pass = make_pass<D>({1, 0});
    pass.run.laps.push_back({leaf(Tensor<D>(Shape{2, h, w, 1}, 0.)), {}, testing::one_clue.table()});
    CHECK(LapSupervision{{.min_active = .3f, .max_active = .7f, .inactive = .2f}}(pass.step()).item() ==
          doctest::Approx(4 * std::log(2.)));
  }
}

TEST_CASE("a share below one element is one element: the naive setting of Table 3 on a map of any size") {
  for (const Index extent : {1, 7, 100}) {
    Tensor<D> logits(Shape{1, extent, extent, 1});
    for (Index i = 0; i < logits.size(); ++i) logits.data()[i] = static_cast<double>(i * 7 % logits.size()) * 1e-3;
    auto pass = make_pass<D>({1});
    pass.run.laps.push_back({leaf(logits), {}, testing::one_clue.table()});
    const LapSupervision naive{{.min_active = 1e-4f, .max_active = 1, .inactive = 1}};
    const Tensor<D> d = grad(naive(pass.step()), pass.run.laps[0].logits).value();
    const auto best = std::max_element(logits.data(), logits.data() + logits.size()) - logits.data();
    for (Index i = 0; i < d.size(); ++i) CHECK((d.data()[i] != 0) == (i == best));
  }
}

TEST_CASE("LAP-Pool by saturated and by equal scores") {
  const auto check = [](auto layer) {
    initialise(layer, Seed{3});
    for (const float weight : {0.f, 1e4f, -1e4f}) {
      layer.head.out.weight.value().fill(weight);
      layer.head.out.bias.value().fill(weight);
      const Var<Cpu> x = leaf(random_tensor<Cpu>({2, 4, 4, 8}, "x"));
      Run<Cpu> run;
      check_finite<Cpu>(sum(square(run(layer, x))), {x, layer.alpha, layer.head.out.weight, layer.head.hidden.weight});
    }
  };
  using lap::Aggregate;
  check(LapPool<Cpu, 8, lap::one_vs_others<3>(), 3, 2, 1>{});
  check(LapPool<Cpu, 8, lap::one_vs_others<3>(), 0>{});
  check(LapPool<Cpu, 8, lap::one_vs_others<3>(), 3, 2, 1, Aggregate::maximum>{});
  check(LapPool<Cpu, 8, lap::one_vs_others<3>(), 0, 1, 0, Aggregate::learned>{});
}

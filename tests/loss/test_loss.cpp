// The algebra of losses, cross-entropy by hand, and concordance against Eq. 9.
#include <doctest/doctest.h>

#include "laps.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/domain_risks.hpp"
#include "limn/loss/later.hpp"

using namespace limn;
using testing::make_pass, testing::random_tensor, testing::to_naive;
using D = CpuDouble;

namespace {

/// A term whose value is given.
struct One {
  static constexpr const char* name = "one";
  template <Backend B>
  Var<B> operator()(const Step<B>&) const {
    return Tensor<B>(Shape{1}, typename B::scalar(1));
  }
};
struct Two {
  static constexpr const char* name = "two";
  template <Backend B>
  Var<B> operator()(const Step<B>&) const {
    return Tensor<B>(Shape{1}, typename B::scalar(2));
  }
};
struct Vector {
  static constexpr const char* name = "vector";
  template <Backend B>
  Var<B> operator()(const Step<B>&) const {
    return Tensor<B>(Shape{2}, typename B::scalar(2));
  }
};

/// Counts how often it is asked.
struct Asked {
  static constexpr const char* name = "asked";
  int* times;
  template <Backend B>
  Var<B> operator()(const Step<B>&) const {
    return Tensor<B>(Shape{1}, static_cast<typename B::scalar>(++*times));
  }
};

using Terms = std::vector<std::pair<std::string, double>>;

}  // namespace

TEST_CASE("a sum of weighted terms is the weighted sum, and every term is kept by name, unweighted") {
  const auto pass = make_pass<D>({});
  const auto sum = One{} + 3.f * Two{};
  CHECK(sum(pass.step()).total.item() == 7);
  CHECK(sum(pass.step()).terms == Terms{{"one", 1}, {"two", 2}});
  CHECK((10.f * (One{} + Two{}))(pass.step()).total.item() == 30);
  CHECK((10.f * (One{} + 2.f * Two{}) + One{})(pass.step()).total.item() == 51);
  CHECK((One{} + 0.5f * (Two{} + 4.f * (One{} + Two{})))(pass.step()).total.item() == doctest::Approx(8));
  CHECK((One{} + (Two{} + One{}))(pass.step()).terms == Terms{{"one", 1}, {"two", 2}, {"one", 1}});
  CHECK((0.f * Two{})(pass.step()).total.item() == 0);
  CHECK(as_loss(Two{})(pass.step()).total.item() == 2);
  static_assert(AnyLoss<std::remove_const_t<decltype(sum)>> && LossTerm<One> && !LossTerm<int> && !AnyLoss<float>);
  CHECK(testing::message_of([&] { (void)(One{} + Vector{})(pass.step()); }) ==
        "vector: a loss is one number, got shape (2)");
}

TEST_CASE("terms that count otherwise later: 0 and not asked, or times a number") {
  int times = 0;
  const auto loss = One{} + later(.3, 2.f * Asked{&times} + Two{});
  const Batch<D> batch{Tensor<D>(Shape{2, 1, 1, 1}), {0, 1}, {}, {}, {0, 1}};
  const Var<D> logits = Tensor<D>(Shape{2, 2}, {0, 1, 2, 0});
  const Run<D> run;
  const auto at = [&](double progress) { return loss(Step<D>{batch, logits, run, progress}); };
  CHECK(at(.2999).total.item() == 1);
  CHECK(at(.2999).terms == Terms{{"one", 1}, {"asked", 0}, {"two", 0}});
  CHECK(times == 0);
  CHECK(at(.3).total.item() == 5);
  CHECK(at(1).terms == Terms{{"one", 1}, {"asked", 2}, {"two", 2}});
  CHECK(testing::message_of([] { (void)later(1.5, One{}); }) ==
        "later: needs a share of the training from 0 to 1, got 1.5");

  const Later<Two> more{{}, .75, 1, 4};
  CHECK(more(Step<D>{batch, logits, run, .7}).item() == 2);
  CHECK(more(Step<D>{batch, logits, run, .75}).item() == 8);

  // What a term remembers and refuses is still its own.
  auto dro = as_loss(later(.5, GroupDro(2, 1)));
  REQUIRE(dro.state().size() == 1);
  CHECK(dro.state()[0].first == "loss/0/group_dro/weights");
  const auto weight = [&] { return dro.state()[0].second.data()[0]; };
  dro.commit(Step<D>{batch, logits, run, .4});
  CHECK(weight() == .5);
  dro.commit(Step<D>{batch, logits, run, .6});
  CHECK(weight() != .5);
  CHECK_THROWS_AS(std::get<0>(dro.terms).term.check_domains(3), OptionError);
}

TEST_CASE("the gradient of a sum is the weighted sum of gradients") {
  auto pass = make_pass<D>({1, 0});
  pass.logits = leaf(random_tensor<D>({2, 3}, "logits"));
  const auto alone = grad(CrossEntropy{}(pass.step()), pass.logits).value();
  const auto sum =
      grad((2.f * CrossEntropy{} + 3.f * (One{} + CrossEntropy{}))(pass.step()).total, pass.logits).value();
  for (Index i = 0; i < 6; ++i) CHECK(sum.data()[i] == doctest::Approx(5 * alone.data()[i]));
}

TEST_CASE("the loss of the first program") {
  auto loss = CrossEntropy{} + 10.f * LapSupervision{{.min_active = .1f, .max_active = .5f, .inactive = .1f}} +
              LapConcordance{};
  auto pass = make_pass<D>({1, 0});
  pass.logits = random_tensor<D>({2, 2}, "logits");
  pass.run.laps.push_back({Var<D>(random_tensor<D>({2, 4, 4, 1}, "1")), {}, testing::one_clue.table()});
  pass.run.laps.push_back({Var<D>(random_tensor<D>({2, 2, 2, 1}, "2")), {}, testing::one_clue.table()});
  const auto value = loss(pass.step());
  REQUIRE(value.terms.size() == 3);
  CHECK(value.terms[0].first == "cross_entropy");
  CHECK(value.terms[1].first == "lap_supervision");
  CHECK(value.terms[2].first == "lap_concordance");
  const double supervision =
      naive::supervision(to_naive(pass.run), to_naive(testing::one_clue.table()), {1, 0}, {10, 50, 10});
  CHECK(value.terms[1].second == doctest::Approx(supervision));
  CHECK(value.total.item() == doctest::Approx(value.terms[0].second + 10 * supervision + value.terms[2].second));
}

TEST_CASE("cross-entropy by hand") {
  // Logits ln 1, ln 2, ln 5 give 1/8, 2/8, 5/8.
  auto pass = make_pass<D>({2, 0});
  pass.logits = leaf(Tensor<D>(Shape{2, 3}, {0, std::log(2.), std::log(5.), 0, std::log(2.), std::log(5.)}));
  const Var<D> value = CrossEntropy{}(pass.step());
  CHECK(value.item() == doctest::Approx(-(std::log(5. / 8) + std::log(1. / 8)) / 2));
  const Tensor<D> d = grad(value, pass.logits).value();  // (p - target) / 2
  const double expected[] = {1. / 16, 2. / 16, -3. / 16, -7. / 16, 2. / 16, 5. / 16};
  for (Index i = 0; i < 6; ++i) CHECK(d.data()[i] == doctest::Approx(expected[i]));
}

TEST_CASE("concordance is Eq. 9 where both maps have one size") {
  for (const Index clues : {1, 3}) {
    auto pass = make_pass<D>({1, 0});
    const Shape shape{2, 5, 4, clues};
    for (const char* key : {"shallow", "middle", "deep"})
      pass.run.laps.push_back({Var<D>(random_tensor<D>(shape, key)), {}, testing::one_clue.table()});
    const auto laps = to_naive(pass.run);
    CHECK(LapConcordance{}(pass.step()).item() == doctest::Approx(naive::concordance(laps[0].logits, laps[1].logits) +
                                                                  naive::concordance(laps[1].logits, laps[2].logits))
                                                      .epsilon(1e-10));
  }
}

TEST_CASE("concordance by hand, and a deeper map of one element") {
  // p = 3/4 everywhere, r = 1/4: (1/2) ln 3 + (-1/2) ln(1/3) = ln 3 per element, halved.
  auto pass = make_pass<D>({1});
  pass.run.laps.push_back({Var<D>(Tensor<D>(Shape{1, 3, 2, 1}, std::log(3.))), {}, testing::one_clue.table()});
  pass.run.laps.push_back({Var<D>(Tensor<D>(Shape{1, 1, 1, 1}, -std::log(3.))), {}, testing::one_clue.table()});
  CHECK(LapConcordance{}(pass.step()).item() == doctest::Approx(std::log(3.) / 2));
  pass.run.laps.pop_back();
  CHECK(LapConcordance{}(pass.step()).item() == 0);  // one LAP has nothing to agree with
  pass.run.laps.clear();
  CHECK(testing::message_of([&] { (void)LapConcordance{}(pass.step()); }) ==
        "lap_concordance: the network has no LAP (use pool::Lap)");
}

TEST_CASE("concordance with a smaller deeper map: it is resized as logits") {
  auto pass = make_pass<D>({1, 0});
  pass.run.laps.push_back({Var<D>(random_tensor<D>({2, 5, 6, 1}, "shallow")), {}, testing::one_clue.table()});
  pass.run.laps.push_back({Var<D>(random_tensor<D>({2, 3, 2, 1}, "deep")), {}, testing::one_clue.table()});
  const auto laps = to_naive(pass.run);
  naive::Maps resized = laps[0].logits;
  for (long i = 0; i < 2; ++i)
    for (long y = 0; y < 5; ++y)
      for (long x = 0; x < 6; ++x)
        resized.v[static_cast<std::size_t>((i * 5 + y) * 6 + x)] =
            naive::bilinear(laps[1].logits, i, 0, static_cast<double>(y), static_cast<double>(x), 5, 6);
  CHECK(LapConcordance{}(pass.step()).item() ==
        doctest::Approx(naive::concordance(laps[0].logits, resized)).epsilon(1e-10));
}

TEST_CASE("concordance after windows of 3 with stride 2: the deeper element i lies at 2i") {
  auto pass = make_pass<D>({1});
  pass.run.laps.push_back({Var<D>(random_tensor<D>({1, 2, 3, 1}, "shallow")), {}, testing::one_clue.table()});
  pass.run.pooled(pass.run.laps[0].logits, Window::square(3, 2, 1));
  pass.run.laps.push_back({Var<D>(Tensor<D>(Shape{1, 1, 2, 1}, {1., 3.})), {}, testing::one_clue.table()});
  const auto laps = to_naive(pass.run);
  naive::Maps deep = laps[0].logits;
  deep.v = {1, 2, 3, 1, 2, 3};
  CHECK(LapConcordance{}(pass.step()).item() ==
        doctest::Approx(naive::concordance(laps[0].logits, deep)).epsilon(1e-10));
}

TEST_CASE_TEMPLATE("concordance is finite for logits of any size", B, Cpu, CpuDouble) {
  using S = typename B::scalar;
  auto pass = make_pass<B>({1});
  pass.run.laps.push_back({leaf(Tensor<B>(Shape{1, 2, 2, 1}, S(1e4))), {}, testing::one_clue.table()});
  pass.run.laps.push_back({leaf(Tensor<B>(Shape{1, 1, 1, 1}, S(-1e4))), {}, testing::one_clue.table()});
  const Var<B> value = LapConcordance{}(pass.step());
  CHECK(value.item() == doctest::Approx(1e4));  // (1 - 0) (1e4 + 1e4) / 2
  for (const auto& d : grad<B>({value}, {pass.run.laps[0].logits, pass.run.laps[1].logits}))
    for (const auto v : d.value().span()) CHECK(std::isfinite(v));
}

TEST_CASE("the gradient of concordance agrees with differences") {
  const Differentiable f = [](const std::vector<Var<D>>& x) -> std::vector<Var<D>> {
    auto pass = make_pass<D>({1, 0});
    for (const auto& logits : x) pass.run.laps.push_back({logits, {}, testing::one_clue.table()});
    return {LapConcordance{}(pass.step())};
  };
  const std::vector<Tensor<D>> at{random_tensor<D>({2, 5, 4, 1}, "a"), random_tensor<D>({2, 3, 2, 1}, "b"),
                                  random_tensor<D>({2, 1, 1, 1}, "c")};
  CHECK(check_gradient(f, at).error < 1e-8);
  CHECK(check_second_order(f, at).error < 1e-8);
}

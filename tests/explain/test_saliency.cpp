// The scores that explanations inside training explain: values by hand, derivatives against differences.
#include "limn/explain/saliency.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"

using namespace limn;
using testing::message_of;
using D = CpuDouble;

TEST_CASE("scores by hand") {
  const Tensor<D> logits(Shape{2, 3}, {1, 3, 2, .5, -1, 0});
  const std::vector<Index> classes{1, 0};
  const auto value = [&](Score s, Index i) { return explain::scores(Var<D>(logits), classes, s).value().data()[i]; };
  const double p = std::exp(3.) / (std::exp(1.) + std::exp(3.) + std::exp(2.)),
               d = 3 - std::log(std::exp(1.) + std::exp(2.));
  CHECK(value(Score::class_logit, 0) == 3);
  CHECK(value(Score::automatic, 1) == .5);
  CHECK(value(Score::class_probability, 0) == doctest::Approx(p));
  CHECK(value(Score::difference, 0) == doctest::Approx(d));
  CHECK(value(Score::difference, 0) == doctest::Approx(std::log(p / (1 - p))));  // the log-odds of the class
  CHECK(value(Score::squared_difference, 0) == doctest::Approx(d * d));
  CHECK(value(Score::probability_difference, 0) == doctest::Approx(2 * p - 1));
  CHECK(value(Score::squared_probability_difference, 0) == doctest::Approx((2 * p - 1) * (2 * p - 1)));
  const double log_sum = std::log(std::exp(1.) + std::exp(3.) + std::exp(2.));
  CHECK(value(Score::log_probabilities, 0) == doctest::Approx(6 - 3 * log_sum));
  const Tensor<D> two(Shape{1, 2}, {4, 1.5});
  const std::vector<Index> one{1};
  CHECK(explain::scores(Var<D>(two), one, Score::difference).item() == -2.5);
  CHECK(explain::scores(Var<D>(two), one, Score::absolute_difference).item() == 2.5);
  for (const Score s :
       {Score::class_logit, Score::class_probability, Score::difference, Score::absolute_difference,
        Score::squared_difference, Score::probability_difference, Score::absolute_probability_difference,
        Score::squared_probability_difference, Score::log_probabilities}) {
    CAPTURE(static_cast<int>(s));
    const limn::Differentiable f = [&](const auto& x) {
      return std::vector<Var<D>>{explain::scores(x[0], classes, s)};
    };
    CHECK(check_gradient(f, {logits}).error < 1e-8);
    CHECK(check_second_order(f, {logits}).error < 1e-7);
  }
  CHECK(message_of([&] {
          (void)explain::scores(Var<D>(logits), std::vector<Index>{1, 3});
        }) == "score: class 3, expected 0 to 2");
  CHECK(message_of([&] { (void)explain::scores(Var<D>(logits), one); }) == "score: logits (2, 3), but 1 classes");
}

// Masker: sizes, values, names, gradient, and that it can learn a mask.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/models/masker.hpp"
#include "limn/nn/check_layer.hpp"
#include "limn/optim/optimizer.hpp"

using namespace limn;
using testing::random_tensor;

TEST_CASE("a mask has the size of its picture, whatever that is, and lies between 0 and 1") {
  const models::Masker<Cpu, 3, 4> masker{Seed{1}};
  for (const auto& [h, w] : {std::pair<Index, Index>{1, 1}, {2, 3}, {7, 5}, {16, 16}, {33, 18}}) {
    CAPTURE(h);
    Run<Cpu> run;
    run.training = h > 1;
    const Var<Cpu> mask = run(masker, Var<Cpu>(random_tensor<Cpu>({2, h, w, 3}, "x")));
    REQUIRE(mask.shape() == Shape{2, h, w, 1});
    for (const float v : mask.value().span()) {
      CHECK(v > 0);
      CHECK(v < 1);
    }
  }
  static_assert(models::Masker<Cpu, 3>::shape({30, 20, 3}) == Dims{30, 20, 1});
  CHECK(parameter_count(models::Masker<Cpu, 1>{}) < 15000);
  Run<Cpu> run;
  run.listen<"mask">(masker);
  const Var<Cpu> mask = run(masker, Var<Cpu>(random_tensor<Cpu>({1, 8, 8, 3}, "x")));
  CHECK(testing::same_bits(run.watched("mask").value(), mask.value()));
}

TEST_CASE("the masker's gradients") {
  const CheckResult result = check_layer<models::Masker<CpuDouble, 2, 2>>({5, 6, 2});
  CAPTURE(result.where);
  CHECK(result.error < 1e-5);
}

TEST_CASE("a masker learns to mark what is bright") {
  models::Masker<Cpu, 1, 4> masker{Seed{3}};
  Optimizer<Cpu> optimizer = make_optimizer(Adam{{.lr = 1e-2f}}, masker);
  Tensor<Cpu> images(Shape{4, 12, 12, 1}, .1f), target(images.shape(), 0.f);
  for (Index i = 0; i < 4; ++i)
    for (Index y = 2 * i; y < 2 * i + 4; ++y)
      for (Index x = 3; x < 8; ++x) images(i, y, x, 0) = .8f, target(i, y, x, 0) = 1;
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> loss = mean(square(run(masker, Var<Cpu>(images)) - Var<Cpu>(target)));
    optimizer.step(grad<Cpu>({loss}, optimizer.variables()));
    run.commit();
    (step == 0 ? first : last) = static_cast<double>(loss.item());
  }
  CHECK(last < .1 * first);
}

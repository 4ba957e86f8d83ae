// Grad-CAM as a part of a loss: its derivative with respect to the parameters, which is second order in the network.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"

using namespace limn;
using D = CpuDouble;

TEST_CASE("the derivative of Grad-CAM agrees with differences, for every parameter and the image") {
  Sequential<Conv2d<D, 2, 3, 3, 1, 1>, BatchNorm2d<D, 3>, Relu<D>, Conv2d<D, 3, 4, 3, 1, 1>, Relu<D>, GlobalAverage<D>,
             Flatten<D>, Linear<D, 4, 3>>
      net;
  initialise(net, Seed{4});
  std::vector<Tensor<D>> at{testing::random_tensor<D>({2, 5, 4, 2}, "image")};
  const auto all = parameters(net);
  for (const auto& p : all) at.push_back(p.parameter->value().clone());
  const std::vector<Index> classes{2, 0};
  for (const bool training : {true, false}) {
    const Differentiable f = [&](const std::vector<Var<D>>& in) -> std::vector<Var<D>> {
      for (std::size_t i = 0; i < all.size(); ++i) all[i].parameter->bind(in[i + 1]);
      Run<D> run;
      run.training = training;
      const auto tap = run.tap(limn::at<"3">(net));
      const Var<D> score = explain::class_score(run(net, in[0]), std::span<const Index>(classes));
      return {explain::grad_cam(run.tapped(tap), score, true)};
    };
    std::vector<Var<D>> leaves;
    for (const auto& t : at) leaves.push_back(leaf(t));
    const Var<D> map = f(leaves).front();
    REQUIRE(map.shape() == Shape{2, 5, 4, 1});
    Index positive = 0;
    for (const double v : map.value().span()) positive += v > 1e-4;
    REQUIRE(positive >= 10);  // the relu leaves something to differentiate
    const auto first = check_gradient(f, at);
    CAPTURE(first.where);
    CHECK(first.error < 1e-6);
    // The weight of the last layer takes part by second order only: through the channels' weights.
    const auto d = grad<D>({sum(map)}, {leaves[leaves.size() - 2]});
    double size = 0;
    for (const double v : d.value().span()) size += std::abs(v);
    CHECK(size > 1e-3);
  }
}

// Tensors as handles on shared numbers, their errors, and xtensor at both ends.
#include "limn/core/tensor.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "limn/core/host.hpp"

using namespace limn;

static_assert(Backend<Cpu> && Backend<CpuDouble> && Backend<Cuda>);
static_assert(!Backend<float>);
static_assert(std::is_same_v<Positions<Cpu>, Positions<CpuDouble>>);

TEST_CASE("elements stand in row-major order") {
  const Tensor<Cpu> x(Shape{2, 3}, {0, 1, 2, 3, 4, 5});
  CHECK(x(1, 0) == 3);
  CHECK(x(0, 2) == 2);
  CHECK(x.dim(-1) == 3);
  CHECK(x.size() == 6);
  CHECK(x.rank() == 2);
  CHECK(x.span().size() == 6);
  CHECK(!x.empty());
  CHECK(Tensor<Cpu>().empty());
  CHECK(Tensor<Cpu>(Shape{1}, 7.f).item() == 7);
}

TEST_CASE("copies and reshapes share numbers, a clone does not") {
  Tensor<Cpu> x(Shape{2, 3}, 1.f);
  CHECK(x.unique());
  Tensor<Cpu> same = x;
  Tensor<Cpu> view = x.reshape({3, -1}), copy = x.clone();
  CHECK(!x.unique());
  CHECK(copy.unique());
  x(1, 2) = 9;
  CHECK(same(1, 2) == 9);
  CHECK(view.shape() == Shape{3, 2});
  CHECK(view(2, 1) == 9);
  CHECK(view.data() == x.data());
  CHECK(copy(1, 2) == 1);
  CHECK(Tensor<Cpu>().clone().empty());
}

TEST_CASE("errors of a tensor name its shape and what was asked") {
  Tensor<Cpu> x(Shape{2, 3}, 0.f);
  CHECK_THROWS_WITH_AS((Tensor<Cpu>(Shape{2, 3}, {1, 2})), "tensor of shape (2, 3): expected 6 numbers, got 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)x.reshape(Shape{4, 2}), "reshape: (2, 3) has 6 elements, (4, 2) has 8", ShapeError);
  CHECK_THROWS_WITH_AS((void)x.reshape({4, -1}), "reshape: (2, 3) has 6 elements and cannot become (4, 1)", ShapeError);
  CHECK_THROWS_AS((void)x.reshape({-1, -1}), ShapeError);
  CHECK_THROWS_AS((void)x.reshape({0, -1}), ShapeError);
  CHECK_THROWS_AS((void)x.reshape({-2, -3}), ShapeError);
  CHECK_THROWS_WITH_AS((void)x.item(), "item: expected a tensor of one element, got shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS((void)x(0, 3), "element: position 3 on axis 1 of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS((void)x(-1, 0), "element: position -1 on axis 0 of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS((void)x(0), "element: 1 positions given for shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS((void)x.dim(2), "dim: axis 2 of a tensor of shape (2, 3)", ShapeError);
}

TEST_CASE("a cast makes new numbers of another type") {
  const Tensor<CpuDouble> x(Shape{2}, {1.5, 1e-60});
  const auto y = cast<Cpu>(x);
  CHECK(y(0) == 1.5f);
  CHECK(y(1) == 0.f);
  CHECK(cast<Positions<Cpu>>(x)(0) == 1);
}

TEST_CASE("tensors on numbers of somebody else") {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  Tensor<Cpu> x(Shape{2, 2}, std::shared_ptr<float>(owner, owner->data()));
  (*owner)[3] = 8;
  CHECK(x(1, 1) == 8);
  const float* const data = owner->data();
  owner.reset();  // the tensor keeps them alive
  CHECK(x.data() == data);
  CHECK(x(0, 1) == 2);
}

TEST_CASE("an xtensor becomes a tensor and back without a copy") {
  xt::xtensor<float, 3> image = xt::xtensor<float, 3>::from_shape({2, 3, 1});
  for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i);
  const float* const numbers = image.data();

  Tensor<Cpu> x = from_xtensor(std::move(image));
  CHECK(x.data() == numbers);
  CHECK(x.shape() == Shape{2, 3, 1});
  CHECK(x(1, 1, 0) == 4);

  auto view = as_xtensor<3>(x);
  CHECK(view.data() == numbers);
  CHECK(view.shape()[1] == 3);
  view(0, 2, 0) = 50;
  CHECK(x(0, 2, 0) == 50);

  const xt::xtensor<float, 3> copy = to_xtensor<3>(x);
  CHECK(copy.data() != numbers);
  CHECK(copy(0, 2, 0) == 50);
  CHECK_THROWS_WITH_AS((void)as_xtensor<2>(x), "as_xtensor: expected rank 2, got shape (2, 3, 1)", ShapeError);
}

TEST_CASE("an xtensor that is not given away is copied") {
  const xt::xtensor<float, 1> values{1, 2, 3};
  Tensor<Cpu> x = from_xtensor(values);
  CHECK(x.data() != values.data());
  x(0) = 9;
  CHECK(values(0) == 1);
}

// Definitions that others have fixed: values and gradients recorded from torch (record_torch.py).
#include <doctest/doctest.h>

#include "limn/ops/conv3d.hpp"
#include "limn/ops/ops.hpp"
#include "torch_fixtures.hpp"

using namespace limn;
using D = CpuDouble;
using V = Var<D>;

namespace {

template <std::size_t N>
Tensor<D> recorded(const Shape& shape, const double (&numbers)[N]) {
  return {shape, std::span<const double>(numbers)};
}

template <std::size_t N>
void check(const Tensor<D>& found, const Shape& shape, const double (&numbers)[N]) {
  REQUIRE(found.shape() == shape);
  REQUIRE(found.size() == static_cast<Index>(N));
  for (std::size_t i = 0; i < N; ++i) CHECK(found.span()[i] == doctest::Approx(numbers[i]).epsilon(1e-10));
}

}  // namespace

TEST_CASE("conv2d agrees with torch") {
  namespace r = limn::torch;
  const V x = leaf(recorded({2, 5, 4, 3}, r::conv_x)), w = leaf(recorded({2, 3, 2, 3}, r::conv_w));
  const V y = conv2d(x, w, {.stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 0});
  check(y.value(), {2, 3, 3, 2}, r::conv_y);
  const auto d = grad<D>({y}, {x, w}, {.upstream = {recorded({2, 3, 3, 2}, r::conv_up)}});
  check(d[0].value(), x.shape(), r::conv_dx);
  check(d[1].value(), w.shape(), r::conv_dw);
}

TEST_CASE("max_pool2d agrees with torch") {
  namespace r = limn::torch;
  const V x = leaf(recorded({1, 5, 6, 2}, r::max_x)), y = max_pool2d(x, Window::square(3, 2, 1));
  check(y.value(), {1, 3, 3, 2}, r::max_y);
  check(grad<D>(y, x, {.upstream = {recorded({1, 3, 3, 2}, r::max_up)}}).value(), x.shape(), r::max_dx);
}

TEST_CASE("resize agrees with torch's bilinear interpolation without aligned corners") {
  const V x = recorded({1, 4, 5, 2}, limn::torch::resize_x);
  check(resize(x, 7, 9).value(), {1, 7, 9, 2}, limn::torch::resize_up);
  check(resize(x, 2, 3).value(), {1, 2, 3, 2}, limn::torch::resize_down);
}

TEST_CASE("batch_norm agrees with torch") {
  namespace r = limn::torch;
  const V x = leaf(recorded({2, 2, 2, 3}, r::norm_x)), gamma = leaf(recorded({3}, r::norm_gamma)),
          beta = leaf(recorded({3}, r::norm_beta));
  const auto n = batch_norm(x, gamma, beta, 1e-3);
  check(n.y.value(), x.shape(), r::norm_y);
  const auto d = grad<D>({n.y}, {x, gamma, beta}, {.upstream = {recorded({2, 2, 2, 3}, r::norm_up)}});
  check(d[0].value(), x.shape(), r::norm_dx);
  check(d[1].value(), {3}, r::norm_dgamma);
  check(d[2].value(), {3}, r::norm_dbeta);

  // Torch's running statistics after one batch, momentum 0.1, from 0 and 1. It normalises by the biased variance, which
  // batch_norm gives, and keeps the unbiased one: 8 / 7 of it for 8 values per channel.
  Tensor<D> mean(Shape{3}), variance(Shape{3});
  for (Index c = 0; c < 3; ++c) {
    mean(c) = 0.1 * n.mean(c);
    variance(c) = 0.9 + 0.1 * n.variance(c) * 8 / 7;
  }
  check(mean, {3}, r::norm_mean);
  check(variance, {3}, r::norm_variance);
}

TEST_CASE("the losses agree with torch") {
  namespace r = limn::torch;
  const V logits = leaf(recorded({3, 4}, r::entropy_x));
  const Index labels[] = {1, 3, 0};
  const V loss = cross_entropy(logits, std::span<const Index>(labels));
  check(loss.value(), {1}, r::entropy_loss);
  check(grad(loss, logits).value(), {3, 4}, r::entropy_dx);

  const V x = leaf(recorded({2, 3}, r::binary_x)), t = Tensor<D>(Shape{2, 3}, {0, 1, 0.25, 1, 0, 0.5});
  const V binary = bce_with_logits(x, t);
  check(binary.value(), {1}, r::binary_loss);
  check(grad(binary, x).value(), {2, 3}, r::binary_dx);
}

TEST_CASE("lap_pool agrees with Eq. 6 and 7 written in torch") {
  namespace r = limn::torch;
  const V x = leaf(recorded({2, 5, 4, 3}, r::lap_x)), q = leaf(recorded({2, 5, 4, 1}, r::lap_q)),
          alpha = leaf(Tensor<D>(Shape{1}, 2.5));
  const Tensor<D> up = recorded({2, 3, 2, 3}, r::lap_up);
  for (const bool create_graph : {false, true}) {  // the fused kernel, and the composition
    const V y = lap_pool(x, q, alpha, Window::square(3, 2, 1), 1e-3);
    check(y.value(), {2, 3, 2, 3}, r::lap_y);
    const auto d = grad<D>({y}, {x, q, alpha}, {.create_graph = create_graph, .upstream = {up}});
    check(d[0].value(), x.shape(), r::lap_dx);
    check(d[1].value(), q.shape(), r::lap_dq);
    check(d[2].value(), {1}, r::lap_dalpha);
  }
}

TEST_CASE("conv3d and resize3d agree with torch") {
  namespace r = limn::torch;
  const V x = leaf(recorded({2, 4, 3, 4, 2}, r::conv3d_x)), w = leaf(recorded({3, 3, 2, 2, 2}, r::conv3d_w));
  const V y = conv3d(x, w, {{.stride_h = 1, .stride_w = 2, .pad_h = 0, .pad_w = 1}, 1, 2, 1});
  check(y.value(), {2, 2, 2, 3, 3}, r::conv3d_y);
  const auto d = grad<D>({y}, {x, w}, {.upstream = {recorded({2, 2, 2, 3, 3}, r::conv3d_up)}});
  check(d[0].value(), x.shape(), r::conv3d_dx);
  check(d[1].value(), w.shape(), r::conv3d_dw);

  const V volume = recorded({1, 2, 4, 3, 2}, r::resize3d_x);
  const auto lies = [](Index depth, Index height, Index width) -> Grid {
    return {GridAxis::covering(4, height), GridAxis::covering(3, width), GridAxis::covering(2, depth)};
  };
  check(resize3d(volume, 4, 7, 5, Grid{}, lies(4, 7, 5)).value(), {1, 4, 7, 5, 2}, r::resize3d_up);
  check(resize3d(volume, 1, 2, 2, Grid{}, lies(1, 2, 2)).value(), {1, 1, 2, 2, 2}, r::resize3d_down);
}

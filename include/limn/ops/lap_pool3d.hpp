// LAP-Pool of volumes (Distinguishing Clues, Eq. 6 and 7): lap_pool.hpp over boxes.
#pragma once

#include "limn/backend/cpu/lap_pool3d.hpp"
#include "limn/ops/conv3d.hpp"
#include "limn/ops/lap_pool.hpp"

namespace limn {

namespace detail {
/// Every box as a row: (n, d, h, w, c) -> (n * out_d * out_h * out_w, volume, c), zeros outside.
template <Backend B>
Var<B> boxes(const Var<B>& x, const Window3d& win) {
  const Index n = x.dim(0), d = x.dim(1), oh = win.out_h(x.dim(2)), ow = win.out_w(x.dim(3)), c = x.dim(4);
  const Var<B> windows = unfold2d(reshape(x, {n * d, x.dim(2), x.dim(3), c}), win.plane);  // (n d, oh, ow, area, c)
  const Var<B> all = unfold2d(reshape(windows, {n, d, oh * ow, win.plane.area() * c}), win.along_depth());
  return reshape(all, {n * win.out_d(d) * oh * ow, win.volume(), c});
}
}  // namespace detail

/// LAP-Pool of volumes composed of plain operations, boxes unfolded in memory. It defines what the fused kernel
/// computes and gives its higher derivatives.
template <Backend B>
[[nodiscard]] Var<B> lap_pool3d_composed(const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window3d& win,
                                         typename B::scalar eps) {
  using S = typename B::scalar;
  const Var<B> scores = detail::boxes(q, win);                                    // (rows, volume, 1)
  const Var<B> present = detail::boxes(Var<B>(Tensor<B>(q.shape(), S(1))), win);  // (rows, volume, 1)
  // What lies outside must not be the best: see lap_pool_composed.
  const Var<B> lowered = reshape(scores + (present - S(1)) * S(1e9), {scores.dim(0), win.volume()});
  const Var<B> gap = (reshape(max(lowered), {scores.dim(0), 1, 1}) - scores) * present;
  const Var<B> weight = (exp(-square(alpha * gap)) + eps) * present;
  const Var<B> pooled = sum(detail::boxes(x, win) * (weight / sum(weight, {1})), {1});  // (rows, 1, c)
  return reshape(pooled, {x.dim(0), win.out_d(x.dim(1)), win.out_h(x.dim(2)), win.out_w(x.dim(3)), x.dim(4)});
}

/// x (n, d, h, w, c), scores q (n, d, h, w, 1), alpha (1) -> (n, out_d, out_h, out_w, c). See lap_pool.
template <Backend B>
[[nodiscard]] Var<B> lap_pool3d(const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window3d& win,
                                typename B::scalar eps = 1e-3f) {
  detail::check_box("lap_pool3d", x.shape(), win);
  const Shape scored{x.dim(0), x.dim(1), x.dim(2), x.dim(3), 1};
  require<ShapeError>(q.shape() == scored, "lap_pool3d: input ", x.shape(), ", expected scores ", scored, ", got ",
                      q.shape());
  require<ShapeError>(alpha.shape() == Shape{1}, "lap_pool3d: alpha is one number, shape (1), got ", alpha.shape());
  require<ShapeError>(
      win.pad_d < win.kernel_d && win.plane.pad_h < win.plane.kernel_h && win.plane.pad_w < win.plane.kernel_w,
      "lap_pool3d: padding must be smaller than the box");
  require<OptionError>(eps > 0, "lap_pool3d: eps must be positive, got ", eps);
  const auto composed = [win, eps](const std::vector<Var<B>>& in) {
    return lap_pool3d_composed(in[0], in[1], in[2], win, eps);
  };
  return on_other_inputs(
      record_joint<B>("lap_pool3d", kernel::lap_pool3d(x.value(), q.value(), alpha.value(), win, eps), {&x, &q, &alpha},
                      [=](const Var<B>& g) {
                        if (is_recording()) return differentiate<B>(composed, {x, q, alpha}, g);
                        auto d = kernel::lap_pool3d_gradient(g.value(), x.value(), q.value(), alpha.value(), win, eps);
                        return std::vector<Var<B>>{d.x, d.q, d.alpha};
                      }),
      composed);
}

}  // namespace limn

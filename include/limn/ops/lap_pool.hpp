// LAP-Pool: every window's mean, weighted by how close each element's score is to the best one of the window
// (Distinguishing Clues, Eq. 6 and 7).
#pragma once

#include "limn/ops/pool.hpp"
#include "limn/ops/reduce.hpp"

namespace limn {

/// LAP-Pool composed of plain operations, windows unfolded in memory. It defines what the fused kernel computes and
/// gives its higher derivatives.
template <Backend B>
[[nodiscard]] Var<B> lap_pool_composed(const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window& win,
                                       typename B::scalar eps) {
  using S = typename B::scalar;
  const Index n = x.dim(0), oh = win.out_h(x.dim(1)), ow = win.out_w(x.dim(2));
  const Tensor<B> inside = kernel::unfold2d(Tensor<B>(q.shape(), S(1)), win, S(0));  // (n, oh, ow, area, 1)
  const Var<B> scores = reshape(unfold2d(q, win), {n, oh, ow, win.area()});          // (n, oh, ow, area)
  const Var<B> present = Var<B>(inside.reshape(scores.shape()));
  // What lies outside must not be the best: it is lowered below every score, and has no weight afterwards.
  const Var<B> lowered = scores + (present - S(1)) * S(1e9);
  const Var<B> gap = (max(lowered) - scores) * present;
  const Var<B> weight = (exp(-square(alpha * gap)) + eps) * present;  // (n, oh, ow, area)
  const Var<B> share = weight / sum(weight, {-1});
  const Var<B> pooled = sum(unfold2d(x, win) * reshape(share, {n, oh, ow, win.area(), 1}), {3});  // (n, oh, ow, 1, c)
  return reshape(pooled, {n, oh, ow, x.dim(3)});
}

/// x (n, h, w, c), scores q (n, h, w, 1), alpha (1) -> (n, out_h, out_w, c). alpha = 0 is average pooling over the
/// elements inside the image; a large alpha takes the element with the best score. eps > 0 keeps every weight positive.
template <Backend B>
[[nodiscard]] Var<B> lap_pool(const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window& win,
                              typename B::scalar eps = 1e-3f) {
  detail::check_window("lap_pool", x.shape(), win);
  require<ShapeError>(q.shape() == Shape({x.dim(0), x.dim(1), x.dim(2), 1}), "lap_pool: input ", x.shape(),
                      ", expected scores ", Shape({x.dim(0), x.dim(1), x.dim(2), 1}), ", got ", q.shape());
  require<ShapeError>(alpha.shape() == Shape{1}, "lap_pool: alpha is one number, shape (1), got ", alpha.shape());
  require<ShapeError>(win.pad_h < win.kernel_h && win.pad_w < win.kernel_w,
                      "lap_pool: padding must be smaller than the window");
  require<OptionError>(eps > 0, "lap_pool: eps must be positive, got ", eps);
  return record_joint<B>("lap_pool", kernel::lap_pool(x.value(), q.value(), alpha.value(), win, eps), {&x, &q, &alpha},
                         [=](const Var<B>& g) {
                           if (is_recording())
                             return differentiate<B>(
                                 [&](const auto& in) { return lap_pool_composed(in[0], in[1], in[2], win, eps); },
                                 {x, q, alpha}, g);
                           auto d = kernel::lap_pool_gradient(g.value(), x.value(), q.value(), alpha.value(), win, eps);
                           return std::vector<Var<B>>{d.x, d.q, d.alpha};
                         });
}

}  // namespace limn

// LAP-Pool: every window's mean, weighted by how close each element's score is to the best one of the window
// (Distinguishing Clues, Eq. 6 and 7).
#pragma once

#include "limn/ops/conv.hpp"
#include "limn/ops/layout.hpp"
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

namespace detail {
template <Backend B>
Var<B> lap_pool(const char* name, const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window& win,
                const Window& taps, typename B::scalar eps) {
  check_window(name, x.shape(), win);
  require<ShapeError>(q.shape() == Shape({x.dim(0), x.dim(1), x.dim(2), 1}), name, ": input ", x.shape(),
                      ", expected scores ", Shape({x.dim(0), x.dim(1), x.dim(2), 1}), ", got ", q.shape());
  require<ShapeError>(alpha.shape() == Shape{1}, name, ": alpha is one number, shape (1), got ", alpha.shape());
  require<ShapeError>(win.pad_h < win.kernel_h && win.pad_w < win.kernel_w, name,
                      ": padding must be smaller than the window");
  require<OptionError>(eps > 0, name, ": eps must be positive, got ", eps);
  return record_joint<B>(
      name, kernel::lap_pool(x.value(), q.value(), alpha.value(), win, eps, taps), {&x, &q, &alpha},
      [=](const Var<B>& g) {
        if (is_recording())
          return differentiate<B>(
              [&](const std::vector<Var<B>>& in) {
                const Index n = in[0].dim(0), h = in[0].dim(1), w = in[0].dim(2);
                const Var<B> pooled = taps.area() == 1 ? in[0] : reshape(unfold2d(in[0], taps), {n, h, w, -1});
                return lap_pool_composed(pooled, in[1], in[2], win, eps);
              },
              {x, q, alpha}, g);
        auto d = kernel::lap_pool_gradient(g.value(), x.value(), q.value(), alpha.value(), win, eps, taps);
        return std::vector<Var<B>>{d.x, d.q, d.alpha};
      });
}
}  // namespace detail

/// x (n, h, w, c), scores q (n, h, w, 1), alpha (1) -> (n, out_h, out_w, c). alpha = 0 is average pooling over the
/// elements inside the image; a large alpha takes the element with the best score. eps > 0 keeps every weight positive.
template <Backend B>
[[nodiscard]] Var<B> lap_pool(const Var<B>& x, const Var<B>& q, const Var<B>& alpha, const Window& win,
                              typename B::scalar eps = 1e-3f) {
  return on_other_inputs(
      detail::lap_pool("lap_pool", x, q, alpha, win, Window{}, eps),
      [win, eps](const std::vector<Var<B>>& in) { return lap_pool_composed(in[0], in[1], in[2], win, eps); });
}

/// lap_pool(conv2d(x, weight, taps), q, alpha, win): as both are linear in x, windows are pooled first and multiplied
/// then, for the pooled positions alone. taps: stride one, as many positions as x has.
template <Backend B>
[[nodiscard]] Var<B> lap_pool_conv2d(const Var<B>& x, const Var<B>& weight, Window taps, const Var<B>& q,
                                     const Var<B>& alpha, const Window& win, typename B::scalar eps = 1e-3f) {
  taps = detail::window_of(x, weight, taps);
  require<ShapeError>(
      taps.stride_h == 1 && taps.stride_w == 1 && taps.out_h(x.dim(1)) == x.dim(1) && taps.out_w(x.dim(2)) == x.dim(2),
      "lap_pool_conv2d: the convolution must give a map of the size of its input, ", x.shape());
  const Var<B> windows = detail::lap_pool("lap_pool_windows", x, q, alpha, win, taps, eps);
  return conv2d(windows, reshape(weight, {weight.dim(0), 1, 1, -1}));
}

}  // namespace limn

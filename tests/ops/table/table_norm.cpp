// Rows of the table of operations: batch normalisation and LAP-Pool.
#include <algorithm>

#include "limn/ops/lap_pool.hpp"
#include "limn/ops/norm.hpp"
#include "table.hpp"

namespace limn::table {
namespace {

constexpr float eps = 0x1p-7f;  // exact in float and double

Case trained(const Shape& x) {
  const Shape c{x.back()};
  return make(
      {{x}, {c}, {c}}, [](const auto& v) { return batch_norm(v[0], v[1], v[2], eps).y; },
      [](const auto& in) {
        const Array m = reference::moments(in[0]);
        const Index c = m.dim(1);
        return reference::normalise(in[0], in[1], in[2],
                                    Array(Shape{c}, std::span<const double>(m.data(), m.data() + c)),
                                    Array(Shape{c}, std::span<const double>(m.data() + c, m.data() + 2 * c)), eps);
      });
}

/// With `added`, an input is added before the ReLU.
Case rectified(const Shape& x, bool added) {
  const Shape c{x.back()};
  std::vector<Input> inputs{{x}, {c}, {c}};
  if (added) inputs.push_back({x});
  const auto norm = trained(x).reference;
  return make(
      std::move(inputs),
      [added](const auto& v) {
        return added ? batch_norm_relu(v[0], v[1], v[2], v[3], eps).y : batch_norm_relu(v[0], v[1], v[2], {}, eps).y;
      },
      [=](const auto& in) {
        Array y = norm(in);
        for (Index i = 0; i < y.size(); ++i) y.data()[i] = std::max(0., y.data()[i] + (added ? in[3].data()[i] : 0));
        return y;
      });
}

Case evaluated(const Shape& x) {
  const Shape c{x.back()};
  return make(
      {{x}, {c}, {c}, {c}, {c, Draw::positive}},
      [](const auto& v) { return batch_norm(v[0], v[1], v[2], v[3].value(), v[4].value(), eps); },
      [](const auto& in) { return reference::normalise(in[0], in[1], in[2], in[3], in[4], eps); }, 2);
}

/// Scores are distinct: at a tie for the best score LAP-Pool has a kink.
template <class F>
Case lap(const Shape& x, const Window& win, Input alpha, float small, F f) {
  return make(
      {{x}, {{x[0], x[1], x[2], 1}, Draw::distinct}, alpha},
      [=](const auto& v) { return f(v[0], v[1], v[2], win, small); },
      [=](const auto& in) { return reference::lap_pool(in[0], in[1], in[2].item(), win, small); });
}

/// A convolution with stride one that keeps the size, then LAP-Pool.
Case lap_conv(const Shape& x, const Shape& weight, const Window& win) {
  const Window taps{weight[1], weight[2], 1, 1, weight[1] / 2, weight[2] / 2};
  return make(
      {{x}, {weight}, {{x[0], x[1], x[2], 1}, Draw::distinct}, {{1}, Draw::positive}},
      [=](const auto& v) { return lap_pool_conv2d(v[0], v[1], taps, v[2], v[3], win, eps); },
      [=](const auto& in) {
        return reference::lap_pool(reference::conv2d(in[0], in[1], taps), in[2], in[3].item(), win, eps);
      });
}

template <class F>
Op lap_row(std::string name, std::string meaning, bool fused, F f) {
  const Input one{{1}, Draw::positive};
  const auto at = [](double alpha) { return Input{{1}, Draw::fixed, alpha}; };
  return {.name = std::move(name),
          .arguments = "x (n, h, w, c), scores q (n, h, w, 1), alpha (1), window, eps",
          .meaning = std::move(meaning),
          .gradients = "x, q, alpha",
          .fused = fused,
          .cases = {lap({2, 6, 4, 3}, Window::square(2, 2), one, eps, f),
                    lap({2, 5, 6, 2}, Window::square(3, 2, 1), one, eps, f),
                    lap({1, 4, 5, 2}, {2, 3, 1, 2, 1, 1}, at(4), 0x1p-10f, f),
                    lap({1, 3, 4, 2}, {3, 4, 1, 1, 0, 0}, at(2), eps, f),    // the whole image
                    lap({1, 4, 4, 2}, Window::square(2, 2), at(0), eps, f),  // the mean
                    lap({1, 4, 4, 1}, Window::square(2, 1, 1), at(-3), 1.f, f)},
          .random =
              [=](Random& r) {
                while (true) {
                  const Shape x{1 + r.below(2), 1 + r.below(5), 1 + r.below(5), 1 + r.below(3)};
                  Window win{1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 0, 0};
                  win.pad_h = r.below(win.kernel_h);
                  win.pad_w = r.below(win.kernel_w);
                  if (win.kernel_h <= x[1] + 2 * win.pad_h && win.kernel_w <= x[2] + 2 * win.pad_w)
                    return lap(x, win, one, eps, f);
                }
              },
          .large = lap({3, 40, 40, 8}, Window::square(3, 2, 1), one, eps, f)};
}

}  // namespace

std::vector<Op> normalisation() {
  std::vector<Op> ops;
  ops.push_back({.name = "batch_norm (batch)",
                 .arguments = "x (..., c), gamma (c), beta (c), eps",
                 .meaning = "normalised by the statistics of the batch (Ioffe and Szegedy, 2015), which it also gives",
                 .gradients = "x, gamma, beta",
                 .fused = true,
                 .cases = {trained({2, 3, 2, 3}), trained({7, 2}), trained({2, 1, 1, 4})},
                 .random =
                     [](Random& r) {
                       // 3 rows or more: two values per channel have a normalised form that hardly depends on them
                       return trained({3 + r.below(3), 1 + r.below(3), 1 + r.below(3), 1 + r.below(4)});
                     },
                 .large = trained({3, 30, 30, 8}),
                 .refused = {{"batch_norm: input (2, 2, 2, 3) has 3 channels, a parameter has shape (4)",
                              [] {
                                (void)batch_norm(zeros({2, 2, 2, 3}), zeros({3}), zeros({4}));
                              }},
                             {"batch_norm: one value per channel (input (1, 1, 1, 3)) has no variance",
                              [] {
                                (void)batch_norm(zeros({1, 1, 1, 3}), zeros({3}), zeros({3}));
                              }},
                             {"batch_norm: expected (..., c) with elements, got (3)",
                              [] { (void)batch_norm(zeros({3}), zeros({3}), zeros({3})); }}}});
  ops.push_back({.name = "batch_norm_relu",
                 .arguments = "x (..., c), gamma (c), beta (c), add as x or empty, eps",
                 .meaning = "relu(batch_norm (batch) + add)",
                 .gradients = "x, gamma, beta, add",
                 .fused = true,
                 .cases = {rectified({2, 3, 2, 3}, false), rectified({2, 3, 2, 3}, true), rectified({7, 2}, true)},
                 .random =
                     [](Random& r) {
                       const bool added = r.below(2) == 0;
                       return rectified({3 + r.below(3), 1 + r.below(3), 1 + r.below(3), 1 + r.below(4)}, added);
                     },
                 .large = rectified({3, 90, 30, 40}, true),
                 .refused = {{"batch_norm_relu: cannot add (2, 3) to (3, 3)",
                              [] {
                                (void)batch_norm_relu(zeros({3, 3}), zeros({3}), zeros({3}), zeros({2, 3}));
                              }},
                             {"batch_norm_relu: one value per channel (input (1, 1, 1, 3)) has no variance", [] {
                                (void)batch_norm_relu(zeros({1, 1, 1, 3}), zeros({3}), zeros({3}));
                              }}}});
  ops.push_back({.name = "batch_norm (given)",
                 .arguments = "x (..., c), gamma (c), beta (c), mean (c), variance (c), eps",
                 .meaning = "normalised by given statistics, which are constants",
                 .gradients = "x, gamma, beta",
                 .cases = {evaluated({2, 3, 2, 3}), evaluated({7, 2}), evaluated({1, 1, 1, 4})},
                 .random = [](Random& r) { return evaluated(random_shape(r, 2 + static_cast<int>(r.below(4)), 4)); },
                 .large = evaluated({3, 30, 30, 8}),
                 .refused = {{"batch_norm: input (2, 3) has 3 channels, a parameter has shape (2)", [] {
                                (void)batch_norm(zeros({2, 3}), zeros({3}), zeros({3}), Tensor<Cpu>(Shape{2}, 0.f),
                                                 Tensor<Cpu>(Shape{3}, 1.f));
                              }}}});

  const auto lap = [](const Shape& x, const Shape& q, const Shape& alpha, const Window& win) {
    return [=] { (void)lap_pool(zeros(x), zeros(q), zeros(alpha), win); };
  };
  ops.push_back(lap_row("lap_pool", "mean of a window weighted by closeness to its best score (LAP, Eq. 6, 7)", true,
                        [](const auto&... in) { return lap_pool(in...); }));
  ops.back().refused = {
      {"lap_pool: input (1, 4, 4, 2), expected scores (1, 4, 4, 1), got (1, 4, 4, 2)",
       lap({1, 4, 4, 2}, {1, 4, 4, 2}, {1}, Window::square(2))},
      {"lap_pool: alpha is one number, shape (1), got (2)", lap({1, 4, 4, 2}, {1, 4, 4, 1}, {2}, Window::square(2))},
      {"lap_pool: alpha is one number, shape (1), got (1, 1)",
       lap({1, 4, 4, 2}, {1, 4, 4, 1}, {1, 1}, Window::square(2))},
      {"lap_pool: padding must be smaller than the window",
       lap({1, 4, 4, 2}, {1, 4, 4, 1}, {1}, Window::square(2, 1, 2))},
      {"lap_pool: input (1, 1, 4, 2) is smaller than the window 2 x 2",
       lap({1, 1, 4, 2}, {1, 1, 4, 1}, {1}, Window::square(2))}};
  ops.push_back({.name = "lap_pool_conv2d",
                 .arguments = "x (n, h, w, c), weight (k, kernel_h, kernel_w, c), taps, scores q, alpha, window, eps",
                 .meaning = "lap_pool(conv2d(x, weight, taps)), with the windows pooled before the product",
                 .gradients = "x, weight, q, alpha",
                 .fused = true,
                 .cases = {lap_conv({2, 6, 4, 3}, {2, 3, 3, 3}, Window::square(3, 2, 1)),
                           lap_conv({1, 5, 6, 2}, {3, 1, 1, 2}, Window::square(2, 2)),
                           lap_conv({1, 4, 5, 2}, {2, 5, 3, 2}, {2, 3, 1, 2, 1, 1}),
                           lap_conv({1, 3, 4, 1}, {1, 3, 3, 1}, {3, 4, 1, 1, 0, 0})},
                 .random =
                     [](Random& r) {
                       const Shape x{1 + r.below(2), 3 + r.below(4), 3 + r.below(4), 1 + r.below(3)};
                       return lap_conv(x, {1 + r.below(3), 1 + 2 * r.below(2), 1 + 2 * r.below(2), x[3]},
                                       Window::square(2 + static_cast<int>(r.below(2)), 2, 1));
                     },
                 .large = lap_conv({3, 40, 40, 20}, {16, 3, 3, 20}, Window::square(3, 2, 1)),
                 .refused = {{"lap_pool_conv2d: the convolution must give a map of the size of its input, (1, 5, 5, 3)",
                              [] {
                                (void)lap_pool_conv2d(zeros({1, 5, 5, 3}), zeros({2, 3, 3, 3}), {}, zeros({1, 5, 5, 1}),
                                                      zeros({1}), Window::square(2, 2));
                              }},
                             {"lap_pool_windows: input (1, 5, 5, 3), expected scores (1, 5, 5, 1), got (1, 4, 5, 1)",
                              [] {
                                (void)lap_pool_conv2d(zeros({1, 5, 5, 3}), zeros({2, 1, 1, 3}), {}, zeros({1, 4, 5, 1}),
                                                      zeros({1}), Window::square(2, 2));
                              }},
                             {"conv2d: input has 3 channels, expected 4", [] {
                                (void)lap_pool_conv2d(zeros({1, 5, 5, 3}), zeros({2, 1, 1, 4}), {}, zeros({1, 5, 5, 1}),
                                                      zeros({1}), Window::square(2, 2));
                              }}}});
  ops.push_back(lap_row("lap_pool_composed", "lap_pool made of other operations; it defines the fused kernel", false,
                        [](const auto&... in) { return lap_pool_composed(in...); }));
  return ops;
}

}  // namespace limn::table

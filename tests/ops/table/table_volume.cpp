// Rows of the table of operations: volumes.
#include "limn/ops/lap_pool3d.hpp"
#include "limn/ops/resize.hpp"
#include "table.hpp"

namespace limn::table {
namespace {

constexpr float eps = 0x1p-7f;  // exact in float and double

/// Calls f(place of the box, place in the kernel, place in the volume), each (n, d, h, w), for every element of every
/// box that lies in a volume of shape (n, d, h, w, c). Places are counted, not computed.
template <class F>
void boxes(const Shape& x, const Window3d& win, const F& f) {
  const Window& p = win.plane;
  const Index kernel[] = {win.kernel_d, p.kernel_h, p.kernel_w}, stride[] = {win.stride_d, p.stride_h, p.stride_w},
              pad[] = {win.pad_d, p.pad_h, p.pad_w};
  Shape outs{x[0]}, taps{1};
  for (int a = 0; a < 3; ++a) {
    outs.push(reference::count(x[a + 1], kernel[a], stride[a], pad[a]));
    taps.push(kernel[a]);
  }
  reference::each(outs, [&](const reference::Place& o) {
    reference::each(taps, [&](const reference::Place& k) {
      reference::Place at = o;
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        const auto i = static_cast<std::size_t>(a + 1);
        at[i] = o[i] * stride[a] + k[i] - pad[a];
        inside = inside && at[i] >= 0 && at[i] < x[a + 1];
      }
      if (inside) f(o, k, at);
    });
  });
}

Shape boxed(const Shape& x, const Window3d& win, Index channels) {
  return {x[0], reference::count(x[1], win.kernel_d, win.stride_d, win.pad_d),
          reference::count(x[2], win.plane.kernel_h, win.plane.stride_h, win.plane.pad_h),
          reference::count(x[3], win.plane.kernel_w, win.plane.stride_w, win.plane.pad_w), channels};
}

double& at(Array& x, const reference::Place& p, Index channel) {
  return x.data()[(((p[0] * x.dim(1) + p[1]) * x.dim(2) + p[2]) * x.dim(3) + p[3]) * x.dim(4) + channel];
}

/// Eq. 6 and 7 of Distinguishing Clues.
Array pooled(Array x, Array q, double alpha, const Window3d& win, double small) {
  Array best(boxed(x.shape(), win, 1), -1e300), total(best.shape(), 0.), out(boxed(x.shape(), win, x.dim(4)), 0.);
  boxes(x.shape(), win,
        [&](const auto& o, const auto&, const auto& in) { at(best, o, 0) = std::max(at(best, o, 0), at(q, in, 0)); });
  boxes(x.shape(), win, [&](const auto& o, const auto&, const auto& in) {
    const double weight = std::exp(-alpha * alpha * std::pow(at(best, o, 0) - at(q, in, 0), 2)) + small;
    at(total, o, 0) += weight;
    for (Index c = 0; c < x.dim(4); ++c) at(out, o, c) += weight * at(x, in, c);
  });
  return reference::apply(out.shape(), out, total, [](double a, double b) { return a / b; });
}

Array convolved(Array x, const Array& w, const Window3d& win) {
  Array out(boxed(x.shape(), win, w.dim(0)), 0.);
  boxes(x.shape(), win, [&](const auto& o, const auto& k, const auto& in) {
    for (Index m = 0; m < w.dim(0); ++m)
      for (Index c = 0; c < x.dim(4); ++c) at(out, o, m) += at(x, in, c) * w(m, k[1], k[2], k[3], c);
  });
  return out;
}

Case conv(const Shape& x, const Shape& weight, Window3d win) {
  win.kernel_d = weight[1];
  win.plane.kernel_h = weight[2];
  win.plane.kernel_w = weight[3];
  return make(
      {{x}, {weight}}, [=](const auto& v) { return conv3d(v[0], v[1], win); },
      [=](const auto& in) { return convolved(in[0], in[1], win); });
}

/// Scores are distinct: at a tie for the best score LAP-Pool has a kink.
template <class F>
Case lap(const Shape& x, const Window3d& win, Input alpha, float small, F f) {
  return make(
      {{x}, {{x[0], x[1], x[2], x[3], 1}, Draw::distinct}, alpha},
      [=](const auto& v) { return f(v[0], v[1], v[2], win, small); },
      [=](const auto& in) { return pooled(in[0], in[1], in[2].item(), win, small); });
}

Window3d random_box(Random& r) {
  Window3d win{{1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 0, 0}, 1 + r.below(3), 1 + r.below(3)};
  win.plane.pad_h = r.below(win.plane.kernel_h);
  win.plane.pad_w = r.below(win.plane.kernel_w);
  win.pad_d = r.below(win.kernel_d);
  return win;
}

template <class F>
Op lap_row(std::string name, std::string meaning, bool fused, F f) {
  const Input one{{1}, Draw::positive};
  const auto fixed = [](double alpha) { return Input{{1}, Draw::fixed, alpha}; };
  return {.name = std::move(name),
          .arguments = "x (n, d, h, w, c), scores q (n, d, h, w, 1), alpha (1), box, eps",
          .meaning = std::move(meaning),
          .gradients = "x, q, alpha",
          .fused = fused,
          .cases = {lap({2, 4, 4, 2, 2}, Window3d::cube(2, 2), one, eps, f),
                    lap({1, 4, 3, 5, 2}, Window3d::cube(3, 2, 1), one, eps, f),
                    lap({1, 3, 4, 3, 1}, {{2, 3, 1, 2, 1, 1}, 3, 2, 2}, fixed(4), 0x1p-10f, f),
                    lap({2, 2, 3, 2, 2}, {{3, 2}, 2}, fixed(2), eps, f),  // the whole volume
                    lap({1, 2, 2, 4, 2}, Window3d::cube(2, 2), fixed(0), eps, f),
                    lap({1, 1, 3, 4, 3}, {Window::square(2, 1, 1)}, fixed(-3), 1.f, f)},  // a single slice
          .random =
              [=](Random& r) {
                while (true) {
                  const Shape x{1 + r.below(2), 1 + r.below(4), 1 + r.below(4), 1 + r.below(4), 1 + r.below(2)};
                  const Window3d win = random_box(r);
                  if (boxed(x, win, 1).size() > 0) return lap(x, win, one, eps, f);
                }
              },
          .large = lap({3, 12, 14, 13, 8}, Window3d::cube(3, 2, 1), one, eps, f)};
}

/// From grid to grid, by half-pixel centres.
Grid covering(const Shape& pixels, const Shape& map) {
  return {GridAxis::covering(pixels[2], map[2]), GridAxis::covering(pixels[3], map[3]),
          GridAxis::covering(pixels[1], map[1])};
}

/// How much element `in` of x counts for element `out` of y, both resized from one another with half-pixel centres.
double share(const reference::Place& in, const Shape& x, const reference::Place& out, const Shape& y) {
  double product = in[0] == out[0] && in[4] == out[4] ? 1 : 0;
  for (int a = 1; a < 4; ++a) {
    const auto i = static_cast<std::size_t>(a);
    product *= reference::hat(out[i], in[i], x[a], reference::halves(x[a], y[a]));
  }
  return product;
}

Case resized(const Shape& x, const Shape& y) {
  return make(
      {{x}}, [=](const auto& v) { return resize3d(v[0], y[1], y[2], y[3], covering(y, x), Grid{}); },
      [=](const auto& in) {
        Array out(y, 0.);
        reference::each(y, [&](const reference::Place& o) {
          reference::each(x, [&](const reference::Place& i) {
            reference::at(out, o, 5) += share(i, x, o, y) * reference::at(in[0], i, 5);
          });
        });
        return out;
      });
}
Case resized_back(const Shape& x, const Shape& y) {
  return make(
      {{y}}, [=](const auto& v) { return resize3d_input(v[0], x, covering(y, x), Grid{}); },
      [=](const auto& in) {
        Array out(x, 0.);
        reference::each(y, [&](const reference::Place& o) {
          reference::each(x, [&](const reference::Place& i) {
            reference::at(out, i, 5) += share(i, x, o, y) * reference::at(in[0], o, 5);
          });
        });
        return out;
      });
}

/// The rows of resize3d and its adjoint, for volumes of these sizes.
template <class F>
Op resize_row(std::string name, std::string arguments, std::string meaning, std::string gradients, F f) {
  return {.name = std::move(name),
          .arguments = std::move(arguments),
          .meaning = std::move(meaning),
          .gradients = std::move(gradients),
          .cases = {f({2, 2, 3, 2, 2}, {2, 4, 6, 5, 2}), f({1, 4, 5, 3, 1}, {1, 2, 2, 2, 1}),
                    f({1, 1, 1, 1, 2}, {1, 3, 2, 2, 2}), f({1, 3, 2, 4, 1}, {1, 3, 2, 4, 1})},
          .random =
              [=](Random& r) {
                const Index n = 1 + r.below(2), c = 1 + r.below(2);
                return f({n, 1 + r.below(4), 1 + r.below(4), 1 + r.below(4), c},
                         {n, 1 + r.below(4), 1 + r.below(4), 1 + r.below(4), c});
              },
          .large = f({2, 4, 5, 6, 3}, {2, 9, 10, 11, 3})};
}

}  // namespace

std::vector<Op> volumes() {
  std::vector<Op> ops;
  ops.push_back(
      {.name = "conv3d",
       .arguments = "x (n, d, h, w, c), weight (k, kernel_d, kernel_h, kernel_w, c), box",
       .meaning = "cross-correlation of volumes (torch: conv3d)",
       .gradients = "x, weight",
       .cases = {conv({2, 3, 4, 3, 2}, {3, 3, 3, 3, 2}, Window3d::cube(1, 1, 1)),
                 conv({1, 4, 5, 4, 2}, {2, 3, 3, 3, 2}, Window3d::cube(1, 2, 1)),
                 conv({1, 3, 2, 3, 2}, {3, 1, 1, 1, 2}, {}),
                 conv({1, 4, 3, 4, 1}, {2, 2, 1, 3, 1}, {{1, 1, 2, 1, 0, 1}, 1, 2, 1}),
                 conv({2, 1, 4, 3, 1}, {2, 1, 3, 3, 1}, {{1, 1, 1, 1, 1, 1}})},  // a single slice
       .random =
           [](Random& r) {
             while (true) {
               const Shape x{1 + r.below(2), 1 + r.below(4), 1 + r.below(4), 1 + r.below(4), 1 + r.below(2)};
               const Window3d win = random_box(r);
               if (boxed(x, win, 1).size() > 0)
                 return conv(x, {1 + r.below(3), win.kernel_d, win.plane.kernel_h, win.plane.kernel_w, x[4]}, win);
             }
           },
       .large = conv({2, 10, 12, 11, 4}, {8, 3, 3, 3, 4}, Window3d::cube(1, 1, 1)),
       .refused = {{"conv3d: expected a volume (n, d, h, w, c), got (1, 4, 4, 2)",
                    [] {
                      (void)conv3d(zeros({1, 4, 4, 2}), zeros({1, 1, 1, 1, 2}));
                    }},
                   {"conv3d: expected a weight (k, kernel_d, kernel_h, kernel_w, c), got (1, 1, 1, 2)",
                    [] {
                      (void)conv3d(zeros({1, 4, 4, 4, 2}), zeros({1, 1, 1, 2}));
                    }},
                   {"conv3d: input has 2 channels, expected 3",
                    [] {
                      (void)conv3d(zeros({1, 4, 4, 4, 2}), zeros({1, 1, 1, 1, 3}));
                    }},
                   {"conv3d: kernel and stride must be at least 1, padding at least 0",
                    [] {
                      (void)conv3d(zeros({1, 4, 4, 4, 2}), zeros({1, 1, 1, 1, 2}), {{}, 1, 0});
                    }},
                   {"conv3d: input (1, 2, 4, 4, 2) is smaller than the box 3 x 3 x 3 with padding 0, 1, 1", [] {
                      (void)conv3d(zeros({1, 2, 4, 4, 2}), zeros({1, 3, 3, 3, 2}), {{1, 1, 1, 1, 1, 1}});
                    }}}});
  ops.push_back(resize_row(
      "resize3d", "x (n, d, h, w, c), out_d, out_h, out_w, grid of x, grid of the result",
      "linear along each axis (torch: trilinear, align_corners = false, where each map covers the whole volume)", "x",
      resized));
  ops.back().refused = {{"resize3d: (1, 4, 4, 2) to 2 x 2 x 2",
                         [] {
                           (void)resize3d(zeros({1, 4, 4, 2}), 2, 2, 2, {}, {});
                         }},
                        {"resize3d: (1, 4, 4, 4, 2) to 0 x 2 x 2", [] {
                           (void)resize3d(zeros({1, 4, 4, 4, 2}), 0, 2, 2, {}, {});
                         }}};
  ops.push_back(resize_row("resize3d_input", "y (n, out_d, out_h, out_w, c), shape of x, grid of x, grid of y",
                           "adjoint of resize3d", "y", resized_back));
  ops.back().refused = {{"resize3d_input: (1, 2, 2, 2, 3) does not lead to (1, 4, 4, 4, 2)", [] {
                           (void)resize3d_input(zeros({1, 2, 2, 2, 3}), Shape{1, 4, 4, 4, 2}, {}, {});
                         }}};
  ops.push_back(lap_row("lap_pool3d", "lap_pool over boxes of a volume (LAP, Eq. 6, 7)", true,
                        [](const auto&... in) { return lap_pool3d(in...); }));
  const auto refuse = [](const Shape& x, const Shape& q, const Shape& alpha, const Window3d& win) {
    return [=] { (void)lap_pool3d(zeros(x), zeros(q), zeros(alpha), win); };
  };
  ops.back().refused = {{"lap_pool3d: expected a volume (n, d, h, w, c), got (1, 4, 4, 2)",
                         refuse({1, 4, 4, 2}, {1, 4, 4, 1}, {1}, Window3d::cube(2))},
                        {"lap_pool3d: input (1, 4, 4, 4, 2), expected scores (1, 4, 4, 4, 1), got (1, 4, 4, 4, 2)",
                         refuse({1, 4, 4, 4, 2}, {1, 4, 4, 4, 2}, {1}, Window3d::cube(2))},
                        {"lap_pool3d: alpha is one number, shape (1), got (2)",
                         refuse({1, 4, 4, 4, 2}, {1, 4, 4, 4, 1}, {2}, Window3d::cube(2))},
                        {"lap_pool3d: padding must be smaller than the box",
                         refuse({1, 4, 4, 4, 2}, {1, 4, 4, 4, 1}, {1}, {Window::square(2), 2, 1, 2})},
                        {"lap_pool3d: input (1, 1, 4, 4, 2) is smaller than the box 2 x 2 x 2",
                         refuse({1, 1, 4, 4, 2}, {1, 1, 4, 4, 1}, {1}, Window3d::cube(2))}};
  ops.push_back(lap_row("lap_pool3d_composed", "lap_pool3d made of other operations; it defines the fused kernel",
                        false, [](const auto&... in) { return lap_pool3d_composed(in...); }));
  return ops;
}

}  // namespace limn::table

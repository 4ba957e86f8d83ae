// Plain references of the operations: loops written from their definitions, in double, with checked element access.
// None of them calls a kernel or an operation of the library; Tensor serves as a container only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "limn/core/tensor.hpp"

namespace limn::reference {

using Array = Tensor<CpuDouble>;
using Place = std::array<Index, Shape::max_rank>;

/// Calls f(place) for every position of a shape, in row-major order.
template <class F>
void each(const Shape& shape, const F& f) {
  Place at{};
  for (Index i = 0; i < shape.size(); ++i) {
    Index left = i;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      at[static_cast<std::size_t>(axis)] = left % shape[axis];
      left /= shape[axis];
    }
    f(at);
  }
}

/// The element of x at `place`, which belongs to a tensor of rank `rank`: axes are aligned at the last one, an axis of
/// extent 1 counts for all positions, missing axes are in front.
template <class A>
auto& at(A& x, const Place& place, int rank) {
  Index flat = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const Index i = place[static_cast<std::size_t>(axis + rank - x.rank())];
    flat = flat * x.dim(axis) + (x.dim(axis) == 1 ? 0 : i);
  }
  return x.data()[flat];
}

template <class F>
Array apply(const Array& x, const F& f) {
  Array y(x.shape());
  for (Index i = 0; i < x.size(); ++i) y.data()[i] = f(x.data()[i]);
  return y;
}

/// f of two tensors that broadcast to `shape`.
template <class F>
Array apply(const Shape& shape, const Array& a, const Array& b, const F& f) {
  Array y(shape);
  each(shape, [&](const Place& p) { at(y, p, shape.rank()) = f(at(a, p, shape.rank()), at(b, p, shape.rank())); });
  return y;
}

inline Array repeat_to(const Array& x, const Shape& shape) {
  return apply(shape, x, x, [](double v, double) { return v; });
}

inline Array sum_to(const Array& x, const Shape& shape) {
  Array y(shape, 0.0);
  each(x.shape(), [&](const Place& p) { at(y, p, x.rank()) += at(x, p, x.rank()); });
  return y;
}

inline Array scaled(const Array& x, double factor) {
  return apply(x, [=](double v) { return v * factor; });
}

inline Array permute(const Array& x, const std::vector<int>& order) {
  Shape shape;
  for (int axis : order) shape.push(x.dim(axis));
  Array y(shape);
  each(shape, [&](const Place& p) {
    Place q{};
    for (std::size_t i = 0; i < order.size(); ++i) q[static_cast<std::size_t>(order[i])] = p[i];
    at(y, p, x.rank()) = at(x, q, x.rank());
  });
  return y;
}

inline Array matmul(const Array& a, bool ta, const Array& b, bool tb) {
  const Index rows = a.dim(ta ? 1 : 0), inner = a.dim(ta ? 0 : 1), columns = b.dim(tb ? 0 : 1);
  Array y(Shape{rows, columns}, 0.0);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j)
      for (Index k = 0; k < inner; ++k) y(i, j) += (ta ? a(k, i) : a(i, k)) * (tb ? b(j, k) : b(k, j));
  return y;
}

/// Calls f(n, oy, ox, ky, kx, y, x) for every element of every window that lies in an image of shape (n, h, w, c).
template <class F>
void windows(const Shape& image, const Window& win, const F& f) {
  for (Index n = 0; n < image[0]; ++n)
    for (Index oy = 0; oy * win.stride_h + win.kernel_h <= image[1] + 2 * win.pad_h; ++oy)
      for (Index ox = 0; ox * win.stride_w + win.kernel_w <= image[2] + 2 * win.pad_w; ++ox)
        for (Index ky = 0; ky < win.kernel_h; ++ky)
          for (Index kx = 0; kx < win.kernel_w; ++kx) {
            const Index y = oy * win.stride_h + ky - win.pad_h, x = ox * win.stride_w + kx - win.pad_w;
            if (y >= 0 && y < image[1] && x >= 0 && x < image[2]) f(n, oy, ox, ky, kx, y, x);
          }
}

/// How many windows fit along one side: counted, not computed.
inline Index count(Index extent, Index kernel, Index stride, Index pad) {
  Index n = 0;
  for (Index start = -pad; start + kernel <= extent + pad; start += stride) ++n;
  return n;
}
inline Index out_h(const Shape& x, const Window& win) { return count(x[1], win.kernel_h, win.stride_h, win.pad_h); }
inline Index out_w(const Shape& x, const Window& win) { return count(x[2], win.kernel_w, win.stride_w, win.pad_w); }
inline Shape pooled(const Shape& x, const Window& win) { return {x[0], out_h(x, win), out_w(x, win), x[3]}; }

inline Array conv2d(const Array& x, const Array& w, const Window& win) {
  Array out(Shape{x.dim(0), out_h(x.shape(), win), out_w(x.shape(), win), w.dim(0)}, 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    for (Index k = 0; k < w.dim(0); ++k)
      for (Index c = 0; c < x.dim(3); ++c) out(n, oy, ox, k) += x(n, y, xx, c) * w(k, ky, kx, c);
  });
  return out;
}

inline Array conv2d_input(const Array& g, const Array& w, const Shape& shape, const Window& win) {
  Array out(shape, 0.0);
  windows(shape, win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    for (Index k = 0; k < w.dim(0); ++k)
      for (Index c = 0; c < shape[3]; ++c) out(n, y, xx, c) += g(n, oy, ox, k) * w(k, ky, kx, c);
  });
  return out;
}

inline Array conv2d_weight(const Array& x, const Array& g, const Shape& shape, const Window& win) {
  Array out(shape, 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    for (Index k = 0; k < shape[0]; ++k)
      for (Index c = 0; c < shape[3]; ++c) out(k, ky, kx, c) += g(n, oy, ox, k) * x(n, y, xx, c);
  });
  return out;
}

/// Calls f(k, c, i) for every output channel k, channel c of its group, and c's place i in the weight.
template <class F>
void in_groups(Index all_k, Index all_c, Index groups, const F& f) {
  for (Index k = 0; k < all_k; ++k)
    for (Index i = 0; i < all_c / groups; ++i) f(k, k / (all_k / groups) * (all_c / groups) + i, i);
}

/// With as many groups as channels it is the depthwise convolution.
inline Array grouped_conv2d(const Array& x, const Array& w, const Window& win, Index groups) {
  Array out(Shape{x.dim(0), out_h(x.shape(), win), out_w(x.shape(), win), w.dim(0)}, 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    in_groups(w.dim(0), x.dim(3), groups,
              [&](Index k, Index c, Index i) { out(n, oy, ox, k) += x(n, y, xx, c) * w(k, ky, kx, i); });
  });
  return out;
}

inline Array grouped_conv2d_input(const Array& g, const Array& w, const Shape& shape, const Window& win, Index groups) {
  Array out(shape, 0.0);
  windows(shape, win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    in_groups(w.dim(0), shape[3], groups,
              [&](Index k, Index c, Index i) { out(n, y, xx, c) += g(n, oy, ox, k) * w(k, ky, kx, i); });
  });
  return out;
}

inline Array grouped_conv2d_weight(const Array& x, const Array& g, const Shape& shape, const Window& win,
                                   Index groups) {
  Array out(shape, 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    in_groups(shape[0], x.dim(3), groups,
              [&](Index k, Index c, Index i) { out(k, ky, kx, i) += g(n, oy, ox, k) * x(n, y, xx, c); });
  });
  return out;
}

inline Array max_pool2d(const Array& x, const Window& win) {
  Array out(pooled(x.shape(), win), -std::numeric_limits<double>::infinity());
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index, Index, Index y, Index xx) {
    for (Index c = 0; c < x.dim(3); ++c) out(n, oy, ox, c) = std::max(out(n, oy, ox, c), x(n, y, xx, c));
  });
  return out;
}

inline Array avg_pool2d(const Array& x, const Window& win) {
  Array out(pooled(x.shape(), win), 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index, Index, Index y, Index xx) {
    for (Index c = 0; c < x.dim(3); ++c) out(n, oy, ox, c) += x(n, y, xx, c) / static_cast<double>(win.area());
  });
  return out;
}

inline Array avg_pool2d_input(const Array& g, const Shape& shape, const Window& win) {
  Array out(shape, 0.0);
  windows(shape, win, [&](Index n, Index oy, Index ox, Index, Index, Index y, Index xx) {
    for (Index c = 0; c < shape[3]; ++c) out(n, y, xx, c) += g(n, oy, ox, c) / static_cast<double>(win.area());
  });
  return out;
}

inline Array unfold2d(const Array& x, const Window& win, double padding) {
  Array out(Shape{x.dim(0), out_h(x.shape(), win), out_w(x.shape(), win), win.area(), x.dim(3)}, padding);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    for (Index c = 0; c < x.dim(3); ++c) out(n, oy, ox, ky * win.kernel_w + kx, c) = x(n, y, xx, c);
  });
  return out;
}

inline Array fold2d(const Array& rows, const Shape& shape, const Window& win) {
  Array out(shape, 0.0);
  windows(shape, win, [&](Index n, Index oy, Index ox, Index ky, Index kx, Index y, Index xx) {
    for (Index c = 0; c < shape[3]; ++c) out(n, y, xx, c) += rows(n, oy, ox, ky * win.kernel_w + kx, c);
  });
  return out;
}

/// Half-pixel centres, written out.
inline Sampling halves(Index in, Index out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  return {0.5 * scale - 0.5, scale};
}

/// How much input position j counts for output position i: a triangle around where i lies in the input, the border
/// repeated outwards.
inline double hat(Index i, Index j, Index in, const Sampling& where) {
  const double at = std::clamp(static_cast<double>(i) * where.step + where.first, 0.0, static_cast<double>(in - 1));
  return std::max(0.0, 1 - std::abs(at - static_cast<double>(j)));
}

inline Array resize(const Array& x, Index height, Index width, const Sampling& rows, const Sampling& columns) {
  Array out(Shape{x.dim(0), height, width, x.dim(3)}, 0.0);
  each(out.shape(), [&](const Place& p) {
    for (Index y = 0; y < x.dim(1); ++y)
      for (Index xx = 0; xx < x.dim(2); ++xx)
        at(out, p, 4) += hat(p[1], y, x.dim(1), rows) * hat(p[2], xx, x.dim(2), columns) * x(p[0], y, xx, p[3]);
  });
  return out;
}

inline Array resize_input(const Array& g, const Shape& shape, const Sampling& rows, const Sampling& columns) {
  Array out(shape, 0.0);
  each(shape, [&](const Place& p) {
    for (Index y = 0; y < g.dim(1); ++y)
      for (Index x = 0; x < g.dim(2); ++x)
        at(out, p, 4) += hat(y, p[1], shape[1], rows) * hat(x, p[2], shape[2], columns) * g(p[0], y, x, p[3]);
  });
  return out;
}

/// Mean and biased variance of every channel, one after the other: (2, c).
inline Array moments(const Array& x) {
  const Index c = x.dim(-1), rows = x.size() / c;
  Array out(Shape{2, c}, 0.0);
  for (Index i = 0; i < x.size(); ++i) out(0, i % c) += x.data()[i] / static_cast<double>(rows);
  for (Index i = 0; i < x.size(); ++i)
    out(1, i % c) += std::pow(x.data()[i] - out(0, i % c), 2) / static_cast<double>(rows);
  return out;
}

inline Array normalise(const Array& x, const Array& gamma, const Array& beta, const Array& mean, const Array& variance,
                       double eps) {
  Array y(x.shape());
  const Index c = x.dim(-1);
  for (Index i = 0; i < x.size(); ++i)
    y.data()[i] = (x.data()[i] - mean(i % c)) / std::sqrt(variance(i % c) + eps) * gamma(i % c) + beta(i % c);
  return y;
}

/// Along the last axis.
inline Array softmax(const Array& x) {
  const Array e = apply(x, [](double v) { return std::exp(v); });
  Shape rows = x.shape();
  rows[rows.rank() - 1] = 1;
  return apply(x.shape(), e, sum_to(e, rows), [](double a, double b) { return a / b; });
}

/// Eq. 6 and 7 of Distinguishing Clues. x (n, h, w, c), q (n, h, w, 1).
inline Array lap_pool(const Array& x, const Array& q, double alpha, const Window& win, double eps) {
  const Shape one{x.dim(0), x.dim(1), x.dim(2), 1};
  const Array best = max_pool2d(q, win);
  Array out(pooled(x.shape(), win), 0.0), total(pooled(one, win), 0.0);
  windows(x.shape(), win, [&](Index n, Index oy, Index ox, Index, Index, Index y, Index xx) {
    const double weight = std::exp(-alpha * alpha * std::pow(best(n, oy, ox, 0) - q(n, y, xx, 0), 2)) + eps;
    total(n, oy, ox, 0) += weight;
    for (Index c = 0; c < x.dim(3); ++c) out(n, oy, ox, c) += weight * x(n, y, xx, c);
  });
  return apply(out.shape(), out, total, [](double a, double b) { return a / b; });
}

}  // namespace limn::reference

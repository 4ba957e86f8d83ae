// Convolution and its adjoints as the sum written out, in double.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "limn/backend/kernels.hpp"
#include "limn/core/random.hpp"

namespace limn::testing {

/// While it lives, convolutions take the windows as they are.
struct WithoutWinograd {
  bool before = winograd();
  WithoutWinograd() { set_winograd(false); }
  ~WithoutWinograd() { set_winograd(before); }
  WithoutWinograd(const WithoutWinograd&) = delete;
  WithoutWinograd& operator=(const WithoutWinograd&) = delete;
};

template <class T>
Tensor<CpuOf<T>> noise(const Shape& shape, std::uint64_t seed) {
  Tensor<CpuOf<T>> out(shape);
  Random random(Seed{seed});
  for (T& v : out.span()) v = static_cast<T>(random.normal());
  return out;
}

/// The largest difference, over the largest number.
template <class T>
double difference(const Tensor<CpuOf<T>>& got, const std::vector<double>& expected) {
  double most = 0, scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(got.data()[i]) - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return most / std::max(scale, 1e-30);
}

struct Differences {
  double forward, input, weight;
};

/// x (n, h, w, c), k output channels.
template <class T>
Differences compare(Index n, Index h, Index w, Index c, Index k, const Window& win) {
  const Index oh = win.out_h(h), ow = win.out_w(w);
  const auto x = noise<T>({n, h, w, c}, 1), weight = noise<T>({k, win.kernel_h, win.kernel_w, c}, 2),
             g = noise<T>({n, oh, ow, k}, 3);
  std::vector<double> y(static_cast<std::size_t>(g.size())), gx(static_cast<std::size_t>(x.size())),
      gw(static_cast<std::size_t>(weight.size()));
  for (Index b = 0; b < n; ++b)
    for (Index oy = 0; oy < oh; ++oy)
      for (Index ox = 0; ox < ow; ++ox)
        for (Index o = 0; o < k; ++o)
          for (Index ky = 0; ky < win.kernel_h; ++ky)
            for (Index kx = 0; kx < win.kernel_w; ++kx)
              for (Index i = 0; i < c; ++i) {
                const Index iy = oy * win.stride_h + ky - win.pad_h, ix = ox * win.stride_w + kx - win.pad_w;
                if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
                const Index at_x = ((b * h + iy) * w + ix) * c + i, at_y = ((b * oh + oy) * ow + ox) * k + o,
                            at_w = ((o * win.kernel_h + ky) * win.kernel_w + kx) * c + i;
                const double vx = x.data()[at_x], vw = weight.data()[at_w], vg = g.data()[at_y];
                y[static_cast<std::size_t>(at_y)] += vx * vw;
                gx[static_cast<std::size_t>(at_x)] += vg * vw;
                gw[static_cast<std::size_t>(at_w)] += vg * vx;
              }
  return {difference(kernel::conv2d(x, weight, win), y),
          difference(kernel::conv2d_input(g, weight, x.shape(), win), gx),
          difference(kernel::conv2d_weight(x, g, weight.shape(), win), gw)};
}

inline void check_below(const Differences& d, double limit) {
  CHECK(d.forward < limit);
  CHECK(d.input < limit);
  CHECK(d.weight < limit);
}

}  // namespace limn::testing

// Convolution and its adjoints against the sum written out, over geometries that leave every kind of remainder: rows,
// columns and channels that do not fill a block, windows that hang over each edge or lie outside the picture.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "limn/backend/kernels.hpp"
#include "limn/core/random.hpp"

using namespace limn;

namespace {

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

template <class T>
void random_geometries(std::uint64_t seed, double limit) {
  Random random(Seed{seed});
  const auto pick = [&](Index from, Index to) {
    return from + static_cast<Index>(random.uniform() * static_cast<double>(to - from + 1));
  };
  int compared = 0;
  while (compared < 120) {
    const Window win{pick(1, 4), pick(1, 4), pick(1, 3), pick(1, 3), pick(0, 4), pick(0, 4)};
    const Index n = pick(1, 3), h = pick(1, 14), w = pick(1, 14);
    const Index c = compared % 3 ? pick(1, 50) : 16 * pick(1, 3), k = compared % 2 ? pick(1, 50) : 16 * pick(1, 3);
    if (win.out_h(h) < 1 || win.out_w(w) < 1) continue;
    ++compared;
    CAPTURE(text(Shape({n, h, w, c}), " kernel, stride, k ",
                 Shape({win.kernel_h, win.kernel_w, win.stride_h, win.stride_w, k}), " pad ", win.pad_h, ", ",
                 win.pad_w));
    const Differences d = compare<T>(n, h, w, c, k, win);
    CHECK(d.forward < limit);
    CHECK(d.input < limit);
    CHECK(d.weight < limit);
  }
}

}  // namespace

TEST_CASE("convolution is the sum it stands for, in float and double") {
  random_geometries<float>(5, 1e-5);
  random_geometries<double>(6, 1e-13);
}

TEST_CASE("the error of convolution in float on the layers of ResNet-18") {
  for (const auto& [side, c, k, win] : {std::tuple{28, 3, 64, Window::square(7, 2, 3)},
                                        {14, 64, 64, Window::square(3, 1, 1)},
                                        {14, 64, 128, Window::square(3, 2, 1)},
                                        {7, 256, 256, Window::square(3, 1, 1)},
                                        {7, 512, 512, Window::square(3, 1, 1)}}) {
    const Differences d = compare<float>(2, side, side, c, k, win);
    CAPTURE(c);
    CHECK(d.forward < 5e-6);
    CHECK(d.input < 5e-6);
    CHECK(d.weight < 5e-6);
  }
}

TEST_CASE("a picture alone gives the bits it gives in a batch") {
  for (const Window& win : {Window::square(3, 1, 1), Window::square(1), Window::square(3, 2, 1)}) {
    const auto x = noise<float>({5, 9, 9, 19}, 1), weight = noise<float>({21, win.kernel_h, win.kernel_w, 19}, 2);
    const auto y = kernel::conv2d(x, weight, win);
    Tensor<Cpu> one(Shape{1, 9, 9, 19});
    std::copy_n(x.data() + 3 * one.size(), one.size(), one.data());
    const auto alone = kernel::conv2d(one, weight, win);
    CHECK(std::equal(alone.data(), alone.data() + alone.size(), y.data() + 3 * alone.size()));
  }
}

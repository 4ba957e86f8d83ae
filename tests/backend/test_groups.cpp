// Depthwise and grouped convolution and their adjoints against the sum written out, over geometries that leave every
// kind of remainder: channels that do not fill a register, columns that do not fill a block, windows over each edge.
#include <doctest/doctest.h>

#include <tuple>

#include "reference_conv.hpp"

using namespace limn;
using testing::difference, testing::Differences, testing::noise;

namespace {

struct Geometry {
  Index n, h, w, c, k, groups;
  Window win;
  [[nodiscard]] bool depthwise() const { return groups == c && c == k; }
};

/// In double, from the definition: result channel o sees the channels of its group.
template <class T>
Differences compare(const Geometry& s) {
  const Index oh = s.win.out_h(s.h), ow = s.win.out_w(s.w), gc = s.c / s.groups, gk = s.k / s.groups;
  const auto x = noise<T>({s.n, s.h, s.w, s.c}, 1), weight = noise<T>({s.k, s.win.kernel_h, s.win.kernel_w, gc}, 2),
             g = noise<T>({s.n, oh, ow, s.k}, 3);
  std::vector<double> y(static_cast<std::size_t>(g.size())), gx(static_cast<std::size_t>(x.size())),
      gw(static_cast<std::size_t>(weight.size()));
  for (Index b = 0; b < s.n; ++b)
    for (Index oy = 0; oy < oh; ++oy)
      for (Index ox = 0; ox < ow; ++ox)
        for (Index ky = 0; ky < s.win.kernel_h; ++ky)
          for (Index kx = 0; kx < s.win.kernel_w; ++kx) {
            const Index iy = oy * s.win.stride_h + ky - s.win.pad_h, ix = ox * s.win.stride_w + kx - s.win.pad_w;
            if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
            for (Index o = 0; o < s.k; ++o)
              for (Index i = 0; i < gc; ++i) {
                const Index at_x = ((b * s.h + iy) * s.w + ix) * s.c + o / gk * gc + i,
                            at_y = ((b * oh + oy) * ow + ox) * s.k + o,
                            at_w = ((o * s.win.kernel_h + ky) * s.win.kernel_w + kx) * gc + i;
                const double vx = x.data()[at_x], vw = weight.data()[at_w], vg = g.data()[at_y];
                y[static_cast<std::size_t>(at_y)] += vx * vw;
                gx[static_cast<std::size_t>(at_x)] += vg * vw;
                gw[static_cast<std::size_t>(at_w)] += vg * vx;
              }
          }
  if (s.depthwise())
    return {difference(kernel::depthwise_conv2d(x, weight, s.win), y),
            difference(kernel::depthwise_conv2d_input(g, weight, x.shape(), s.win), gx),
            difference(kernel::depthwise_conv2d_weight(x, g, weight.shape(), s.win), gw)};
  return {difference(kernel::grouped_conv2d(x, weight, s.win, s.groups), y),
          difference(kernel::grouped_conv2d_input(g, weight, x.shape(), s.win, s.groups), gx),
          difference(kernel::grouped_conv2d_weight(x, g, weight.shape(), s.win, s.groups), gw)};
}

template <class T>
void random_geometries(std::uint64_t seed, bool depthwise, int count, double limit) {
  Random random(Seed{seed});
  const auto pick = [&](Index from, Index to) {
    return from + static_cast<Index>(random.uniform() * static_cast<double>(to - from + 1));
  };
  while (count > 0) {
    const Index most = count % 2 ? 3 : 8;  // half of the kernels are large
    Geometry s{pick(1, 3),
               pick(1, 14),
               pick(1, 22),
               0,
               0,
               0,
               {pick(1, most), pick(1, most), pick(1, 3), pick(1, 3), pick(0, 4), pick(0, 4)}};
    s.groups = depthwise ? pick(1, count % 3 ? 70 : 6) : pick(1, 9);
    s.c = s.groups * (depthwise ? 1 : pick(1, 6));
    s.k = s.groups * (depthwise ? 1 : pick(1, 6));
    if (s.win.out_h(s.h) < 1 || s.win.out_w(s.w) < 1 || s.depthwise() != depthwise) continue;
    --count;
    CAPTURE(text(Shape({s.n, s.h, s.w, s.c}), " k ", s.k, " groups ", s.groups, " kernel, stride ",
                 Shape({s.win.kernel_h, s.win.kernel_w, s.win.stride_h, s.win.stride_w}), " pad ", s.win.pad_h, ", ",
                 s.win.pad_w));
    testing::check_below(compare<T>(s), limit);
  }
}

}  // namespace

TEST_CASE("depthwise convolution is the sum it stands for, in float and double") {
  random_geometries<float>(5, true, 240, 2e-6);
  random_geometries<double>(6, true, 240, 1e-14);
}

TEST_CASE("grouped convolution is the sum it stands for, in float and double") {
  random_geometries<float>(7, false, 60, 1e-5);
  random_geometries<double>(8, false, 60, 1e-13);
}

TEST_CASE("the error of depthwise convolution in float on layers of MobileNet's sizes") {
  for (const auto& [side, c, win] : {std::tuple{56, 64, Window::square(3, 1, 1)},
                                     {28, 96, Window::square(3, 2, 1)},
                                     {14, 300, Window::square(5, 1, 2)},  // more than one part of the channels
                                     {7, 960, Window::square(7, 1, 3)}}) {
    CAPTURE(c);
    testing::check_below(compare<float>({2, side, side, c, c, c, win}), 2e-6);
  }
}

TEST_CASE("a picture alone gives the bits of depthwise convolution that it gives in a batch") {
  for (const Window& win : {Window::square(3, 1, 1), Window::square(5, 2, 2)}) {
    const auto x = noise<float>({5, 9, 13, 19}, 1), weight = noise<float>({19, win.kernel_h, win.kernel_w, 1}, 2);
    const auto y = kernel::depthwise_conv2d(x, weight, win);
    Tensor<Cpu> one(Shape{1, 9, 13, 19});
    std::copy_n(x.data() + 3 * one.size(), one.size(), one.data());
    const auto alone = kernel::depthwise_conv2d(one, weight, win);
    CHECK(std::equal(alone.data(), alone.data() + alone.size(), y.data() + 3 * alone.size()));
  }
}

TEST_CASE("a number that is not finite stays in its channel of a depthwise convolution") {
  auto x = noise<float>({1, 6, 9, 21}, 1);
  const auto weight = noise<float>({21, 3, 3, 1}, 2);
  x.data()[20] = NAN;  // the first position, in the last register
  const auto y = kernel::depthwise_conv2d(x, weight, Window::square(3, 1, 1));
  for (Index i = 0; i < y.size(); ++i) {
    const Index oy = i / (9 * 21), ox = i / 21 % 9;
    CHECK(std::isnan(y.data()[i]) == (i % 21 == 20 && oy <= 1 && ox <= 1));
  }
}

// Convolution and its adjoints against the sum written out, over geometries that leave every kind of remainder: rows,
// columns and channels that do not fill a block, windows that hang over each edge or lie outside the picture.
#include "reference_conv.hpp"

#include <doctest/doctest.h>

#include <tuple>

using namespace limn;
using testing::compare, testing::noise;

namespace {

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
    testing::check_below(compare<T>(n, h, w, c, k, win), limit);
  }
}

}  // namespace

TEST_CASE("convolution is the sum it stands for, in float and double") {
  random_geometries<float>(5, 1e-5);
  random_geometries<double>(6, 1e-13);
}

TEST_CASE("few channels, lines longer than a strip, and sums over many positions") {
  struct Case {
    Index n, h, w, c, k;
    Window win;
  };
  for (const auto& [n, h, w, c, k, win] : {Case{2, 30, 30, 3, 64, Window::square(7, 2, 3)},
                                           {1, 9, 140, 1, 16, Window::square(3, 1, 1)},
                                           {2, 8, 9, 2, 48, {4, 3, 1, 2, 5, 2}},
                                           {1, 5, 6, 3, 32, {2, 2, 3, 3, 1, 1}},
                                           {3, 30, 29, 5, 9, Window::square(1)},
                                           {2, 40, 30, 16, 24, Window::square(3, 1, 1)},
                                           {1, 12, 12, 24, 600, Window::square(3, 2, 1)},
                                           {1, 7, 7, 300, 1000, Window::square(1)}}) {
    CAPTURE(text(Shape({n, h, w, c}), " k ", k));
    const testing::WithoutWinograd direct;
    testing::check_below(compare<float>(n, h, w, c, k, win), 1e-5);
    testing::check_below(compare<double>(n, h, w, c, k, win), 1e-13);
  }
}

TEST_CASE("the error of convolution in float on the layers of ResNet-18") {
  const testing::WithoutWinograd direct;
  for (const auto& [side, c, k, win] : {std::tuple{28, 3, 64, Window::square(7, 2, 3)},
                                        {14, 64, 64, Window::square(3, 1, 1)},
                                        {14, 64, 128, Window::square(3, 2, 1)},
                                        {7, 256, 256, Window::square(3, 1, 1)},
                                        {7, 512, 512, Window::square(3, 1, 1)}}) {
    CAPTURE(c);
    testing::check_below(compare<float>(2, side, side, c, k, win), 5e-6);
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

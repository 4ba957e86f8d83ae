// Winograd's algorithm against the sum written out: tiles that hang over the edge, all paddings, small weights and
// large.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "reference_conv.hpp"

using namespace limn;
using testing::compare, testing::Differences, testing::noise;

namespace {

/// Channels by the register, whose width differs from machine to machine.
template <class T>
constexpr Index lane = kernel::detail::lanes<T>;

template <class T>
void geometries(double limit) {
  Random random(Seed{11});
  int compared = 0, small = 0;  // small: with tiles of 2 x 2
  for (int i = 0; i < 80; ++i) {
    const Window win{3, 3, 1, 1, random.below(4), random.below(4)};
    const Index h = 2 + random.below(i % 3 == 0 ? 3 : 12), w = 2 + random.below(i % 3 == 0 ? 3 : 12);
    const Index n = (i % 3 == 0 ? 30 : 1) + random.below(9);
    if (win.out_h(h) < 1 || win.out_w(w) < 1) continue;
    const Index c = lane<T> * (1 + random.below(4));
    const Index k = std::max<Index>(lane<T>, kernel::detail::outer_rows) * (1 + random.below(5));
    const auto* const by = kernel::detail::winograd_for<T>(n, h, w, c, k, win);
    if (by == nullptr) continue;
    ++compared;
    small += by->tile == 2;
    CAPTURE(text(Shape({n, h, w, c}), " k ", k, " pad ", win.pad_h, ", ", win.pad_w));
    testing::check_below(compare<T>(n, h, w, c, k, win), limit);
  }
  CHECK(compared > 20);
  CHECK(small > 5);
  CHECK(compared - small > 15);
}

}  // namespace

TEST_CASE("Winograd's algorithm gives the convolution, in float and double") {
  geometries<float>(5e-5);
  geometries<double>(1e-13);
}

TEST_CASE("maps of 2 x 2, as deep layers have them on small pictures") {
  const Window win = Window::square(3, 1, 1);
  for (const auto& [n, c, k] : {std::array<Index, 3>{64, 64, 272}, {130, 256, 64}}) {
    REQUIRE(kernel::detail::winograd_for<float>(n, 2, 2, c, k, win)->tile == 2);
    testing::check_below(compare<float>(n, 2, 2, c, k, win), 5e-6);
  }
}

TEST_CASE("large weights, and more tiles than are transformed at once") {
  for (const auto& [n, pad, c, k] : {std::array<Index, 4>{60, 1, 2048, 16}, {240, 2, 64, 272}, {60, 0, 16, 2048}}) {
    CAPTURE(c);
    const Window win = Window::square(3, 1, pad);
    const Index side = 5 - 2 * pad;  // one tile each, filled with 3 x 3
    REQUIRE(kernel::detail::winograd_for<float>(n, side, side, c, k, win));
    testing::check_below(compare<float>(n, side, side, c, k, win), 5e-5);
  }
}

TEST_CASE("transformed weights that are kept give the same bits, and serve fewer tiles") {
  const Window win = Window::square(3, 1, 1);
  for (const auto& [side, c, k] : {std::array<Index, 3>{24, 64, 64}, {28, 128, 128}, {14, 256, 256}, {14, 512, 256}}) {
    CAPTURE(c);
    const auto x = noise<float>({1, side, side, c}, 1), weight = noise<float>({k, 3, 3, c}, 2);
    kernel::detail::PackedWeights<float> packed;
    const auto first = kernel::conv2d(x, weight, win, {}, {}, &packed),
               again = kernel::conv2d(x, weight, win, {}, {}, &packed), plain = kernel::conv2d(x, weight, win);
    CHECK(std::equal(first.data(), first.data() + first.size(), again.data()));
    // With few tiles only kept weights are worth the algorithm, and too large ones are not kept.
    const bool always = kernel::detail::winograd_for<float>(1, side, side, c, k, win) != nullptr, kept = c < 512;
    CHECK(std::equal(first.data(), first.data() + first.size(), plain.data()) == (always || !kept));
    double most = 0, scale = 0;
    for (Index i = 0; i < plain.size(); ++i) {
      most = std::max(most, std::abs(static_cast<double>(first.data()[i] - plain.data()[i])));
      scale = std::max(scale, std::abs(static_cast<double>(plain.data()[i])));
    }
    CHECK(most < 1e-4 * scale);
  }
}

TEST_CASE("the error of Winograd's algorithm in float on the layers of ResNet-18 is below 1e-4") {
  const Window win = Window::square(3, 1, 1);
  double most = 0;
  for (const auto& [n, side, c, k] :
       {std::array<Index, 4>{1, 28, 64, 64}, {1, 28, 128, 128}, {2, 14, 256, 256}, {7, 7, 512, 64}, {7, 7, 64, 512}}) {
    REQUIRE(kernel::detail::winograd_for<float>(n, side, side, c, k, win));
    const Differences d = compare<float>(n, side, side, c, k, win);
    most = std::max({most, d.forward, d.input, d.weight});
  }
  CHECK(most < 1e-4);
  MESSAGE("largest error: ", most);
}

TEST_CASE("the bits do not depend on the number of threads, and Winograd's algorithm can be switched off") {
  const Window win = Window::square(3, 1, 1);
  for (const Index c : {64, 160}) {
    const auto x = noise<float>({8, 15, 13, c}, 1), weight = noise<float>({c, 3, 3, c}, 2),
               g = noise<float>({8, 15, 13, c}, 3);
    const auto all = [&] {
      return std::vector{kernel::conv2d(x, weight, win), kernel::conv2d_input(g, weight, x.shape(), win),
                         kernel::conv2d_weight(x, g, weight.shape(), win)};
    };
    const auto same = [](const std::vector<Tensor<Cpu>>& a, const std::vector<Tensor<Cpu>>& b) {
      for (std::size_t i = 0; i < a.size(); ++i)
        if (!std::equal(a[i].data(), a[i].data() + a[i].size(), b[i].data())) return false;
      return true;
    };
    const auto two = all();
    for (int count : {1, 3, 8}) {
      set_threads(count);
      CHECK(same(all(), two));
    }
    set_threads(0);
    const testing::WithoutWinograd direct;
    CHECK(!same(all(), two));
  }
}

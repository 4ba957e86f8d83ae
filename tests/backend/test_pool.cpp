// Max-pooling and its adjoint against loops as the definition says: ties, padding, windows that overlap, touch or leave
// gaps, and numbers of channels that do and do not fill vector registers.
#include "limn/backend/cpu/pool.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "limn/core/random.hpp"

using namespace limn;

namespace {

/// Few different numbers, so that windows have several largest elements.
template <class T>
Tensor<CpuOf<T>> with_ties(const Shape& shape) {
  Random random(Seed{32});
  Tensor<CpuOf<T>> out(shape);
  for (T& v : out.span()) v = static_cast<T>(random.below(4)) - 2;
  return out;
}

template <class T>
struct Plain {
  std::vector<T> value, gradient;
  std::vector<std::int32_t> position;
};

/// One window, one channel at a time; gradients are added where the first of the largest stands.
template <class T>
Plain<T> plain(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& g, const Window& win) {
  const Index h = x.dim(1), w = x.dim(2), c = x.dim(3);
  Plain<T> out;
  out.gradient.assign(static_cast<std::size_t>(x.size()), T(0));
  for (Index o = 0; o < g.size(); ++o) {
    const Index k = o % c, ox = o / c % g.dim(2), oy = o / c / g.dim(2) % g.dim(1), n = o / c / g.dim(2) / g.dim(1);
    Index best = -1;
    for (Index i = 0; i < win.area(); ++i) {
      const Index y = oy * win.stride_h - win.pad_h + i / win.kernel_w,
                  xx = ox * win.stride_w - win.pad_w + i % win.kernel_w;
      if (y < 0 || y >= h || xx < 0 || xx >= w) continue;
      const Index at = ((n * h + y) * w + xx) * c + k;
      if (best < 0 || x.data()[at] > x.data()[best]) best = at;
    }
    out.value.push_back(x.data()[best]);
    out.position.push_back(static_cast<std::int32_t>(best));
    out.gradient[static_cast<std::size_t>(best)] += g.data()[o];
  }
  return out;
}

template <class T>
void check(const Shape& shape, const Window& win) {
  CAPTURE(shape[3]);
  CAPTURE(win.kernel_h);
  CAPTURE(win.kernel_w);
  CAPTURE(win.stride_h);
  const auto x = with_ties<T>(shape);
  const auto y = kernel::max_pool2d(x, win);
  Tensor<CpuOf<T>> g(y.value.shape());
  for (Index i = 0; i < g.size(); ++i) g.data()[i] = static_cast<T>(i % 97) - 40;  // whole: sums are exact
  const auto expected = plain(x, g, win);
  const auto dx = kernel::max_pool2d_input(g, y.position, shape, win);
  CHECK(std::vector<T>(y.value.data(), y.value.data() + y.value.size()) == expected.value);
  CHECK(std::vector<std::int32_t>(y.position.data(), y.position.data() + y.position.size()) == expected.position);
  CHECK(std::vector<T>(dx.data(), dx.data() + dx.size()) == expected.gradient);
}

}  // namespace

TEST_CASE("max-pooling and its adjoint do what the definition says") {
  const std::vector<Window> windows{Window::square(3, 2, 1),  // ResNet's: overlapping
                                    Window::square(2, 2),     // side by side
                                    Window::square(3, 1, 1),  // nine windows an element
                                    Window::square(2, 3),     // gaps between windows: some elements are in none
                                    Window::square(5, 2, 2),  // up to nine
                                    Window::square(1, 2),    {3, 2, 1, 3, 2, 1},  // unlike in height and width
                                    {2, 5, 2, 1, 0, 4},                           // padding as wide as it may be
                                    Window::square(7, 1, 0)};
  for (const Index c : {1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 64})
    for (const Window& win : windows) {
      check<float>({2, 9, 8, c}, win);
      check<double>({1, 7, 9, c}, win);
    }
}

TEST_CASE("the largest of a window with numbers that are none is none") {
  const float none = std::numeric_limits<float>::quiet_NaN();
  for (const Index c : {1, 16, 20}) {
    Tensor<Cpu> x(Shape{1, 2, 4, c}, 1.f);
    x.data()[c] = none;  // the second element, first channel
    const auto y = kernel::max_pool2d(x, Window::square(2, 2));
    CHECK(std::isnan(y.value.data()[0]));
    CHECK(y.position.data()[0] == c);
    CHECK(y.value.data()[c] == 1.f);
  }
}

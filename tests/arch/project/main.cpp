// Convolutions in the instruction set that this was built for, against the sum written out in double.
#include <cmath>
#include <cstdio>

#include "limn/backend/cpu/conv.hpp"
#include "limn/core/about.hpp"
#include "limn/core/random.hpp"

using namespace limn;

namespace {

Tensor<Cpu> noise(const Shape& shape, std::uint64_t seed) {
  Tensor<Cpu> out(shape);
  Random random(Seed{seed});
  for (float& v : out.span()) v = static_cast<float>(random.normal());
  return out;
}

/// The largest error of a convolution of 2 pictures of 19 x 17 x 20, over its largest number.
double error(const Window& win) {
  const Index n = 2, h = 19, w = 17, c = 20, k = 21, oh = win.out_h(h), ow = win.out_w(w);
  const Tensor<Cpu> x = noise({n, h, w, c}, 1), weight = noise({k, win.kernel_h, win.kernel_w, c}, 2);
  const Tensor<Cpu> y = kernel::conv2d(x, weight, win);
  double worst = 0, largest = 0;
  for (Index b = 0; b < n; ++b)
    for (Index oy = 0; oy < oh; ++oy)
      for (Index ox = 0; ox < ow; ++ox)
        for (Index o = 0; o < k; ++o) {
          double sum = 0;
          for (Index ky = 0; ky < win.kernel_h; ++ky)
            for (Index kx = 0; kx < win.kernel_w; ++kx) {
              const Index iy = oy * win.stride_h + ky - win.pad_h, ix = ox * win.stride_w + kx - win.pad_w;
              if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
              for (Index i = 0; i < c; ++i)
                sum += static_cast<double>(x(b, iy, ix, i)) * static_cast<double>(weight(o, ky, kx, i));
            }
          worst = std::max(worst, std::abs(sum - static_cast<double>(y(b, oy, ox, o))));
          largest = std::max(largest, std::abs(sum));
        }
  return worst / largest;
}

}  // namespace

int main() {
  if (const char* lacking = lacking_instructions()) return std::printf("built for %s\n", lacking), 1;
  std::puts(about().c_str());
  // By Winograd's algorithm, by windows with a stride, and as a matrix product.
  const double errors[] = {error(Window::square(3, 1, 1)), error(Window::square(3, 2, 1)),
                           error(Window::square(1, 1, 0))};
  std::printf("errors %.1e %.1e %.1e\n", errors[0], errors[1], errors[2]);
  for (const double found : errors)
    if (!(found < 1e-5)) return 1;
}

// Depthwise convolutions, forward and both adjoints. The peak is measured in the same run: the fastest copy of as many
// numbers as the convolution must at least read and write, because memory bounds it.
// Usage: bench_depthwise [--quick]
#include <cstdio>
#include <cstring>

#include "limn/backend/kernels.hpp"
#include "timing.hpp"

namespace {

using namespace limn;

/// Milliseconds in which all threads copy half of `count` numbers.
double copy_milliseconds(Index count, int repeats) {
  const Tensor<Cpu> from(Shape{count / 2}, 1.f);
  Tensor<Cpu> to(from.shape());
  return bench::milliseconds(repeats,
                             [&] {
                               parallel_pieces(from.size(), Index{1} << 15, [&](Index a, Index b) {
                                 std::copy(from.data() + a, from.data() + b, to.data() + a);
                               });
                             })
      .front();
}

void report(const char* layer, const char* what, double limn, double bound) {
  std::printf(
      "{\"bench\": \"depthwise\", \"case\": \"%s %s\", \"threads\": %d, \"limn_ms\": %.4f, \"peer\": null, "
      "\"peer_ms\": null, \"ratio\": null, \"limn_mb\": null, \"peer_mb\": null, \"share_of_peak\": %.2f}\n",
      layer, what, threads(), limn, bound / limn);
  std::fflush(stdout);
}

void measure(const char* layer, Index n, Index side, Index c, const Window& win, int repeats) {
  const Tensor<Cpu> x(Shape{n, side, side, c}, .1f), weight(Shape{c, win.kernel_h, win.kernel_w, 1}, .1f),
      y(Shape{n, win.out_h(side), win.out_w(side), c}, .1f);
  const double bound = copy_milliseconds(x.size() + y.size(), repeats);
  const auto median = [&](const auto& f) { return bench::median(bench::milliseconds(repeats, f)); };
  report(layer, "forward", median([&] { (void)kernel::depthwise_conv2d(x, weight, win); }), bound);
  report(layer, "input", median([&] { (void)kernel::depthwise_conv2d_input(y, weight, x.shape(), win); }), bound);
  report(layer, "weight", median([&] { (void)kernel::depthwise_conv2d_weight(x, y, weight.shape(), win); }), bound);
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const int repeats = quick ? 5 : 101;
  const Index n = quick ? 2 : 8;
  measure("dw3x3_64_56", n, 56, 64, Window::square(3, 1, 1), repeats);
  measure("dw3x3_256_14", n, 14, 256, Window::square(3, 1, 1), repeats);
  measure("dw3x3s2_64_56", n, 56, 64, Window::square(3, 2, 1), repeats);
  measure("dw3x3s2_256_14", n, 14, 256, Window::square(3, 2, 1), repeats);
  measure("dw5x5_64_56", n, 56, 64, Window::square(5, 1, 2), repeats);
  measure("dw7x7_256_14", n, 14, 256, Window::square(7, 1, 3), repeats);
}

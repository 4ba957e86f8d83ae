// Convolutions of ResNet-18, forward and both adjoints, against what Eigen takes for the matrix product alone, on
// windows that somebody has already unfolded. The peak is measured in the same run: multiply-adds that stay in
// registers. Usage: bench_convolution [--quick]
#include <Eigen/Core>
#include <cstdio>
#include <cstring>
#include <vector>

#include "limn/backend/kernels.hpp"
#include "timing.hpp"

namespace {

using namespace limn;

/// `rounds` times 24 multiply-adds of whole registers that depend on nothing but themselves.
[[gnu::noinline]] float multiply_adds(Index rounds, float by, float plus) {
  using R = kernel::detail::Register<float>;
  R::Value sum[24];  // all different, or the compiler would compute one
#pragma GCC unroll 24
  for (int k = 0; k < 24; ++k) sum[k] = static_cast<float>(k) - R::Value{};
  const R::Value factor = by - R::Value{}, term = plus - R::Value{};
  for (Index i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (auto& s : sum) s = s * factor + term;
  R::Value all{};
#pragma GCC unroll 24
  for (const auto& s : sum) all += s;
  return all[0];
}

/// Milliseconds of so many multiply-adds at the peak of all threads.
double peak_milliseconds(double count) {
  constexpr Index rounds = 400000;
  std::vector<float> sink(static_cast<std::size_t>(threads()));
  const auto times = bench::milliseconds(9, [&] {
    parallel_for(threads(), [&](Index i) { sink[static_cast<std::size_t>(i)] = multiply_adds(rounds, .5f, 1.f); });
  });
  return times.front() * count / static_cast<double>(threads() * rounds * 24 * kernel::detail::lanes<float>);
}

void report(const char* layer, const char* what, Index batch, double limn, double eigen, double peak) {
  std::printf(
      "{\"bench\": \"convolution\", \"case\": \"%s %s\", \"batch\": %ld, \"threads\": %d, \"limn_ms\": %.3f, "
      "\"peer\": \"Eigen product, unfolded beforehand\", \"peer_ms\": %.3f, \"ratio\": %.2f, \"share_of_peak\": "
      "%.2f}\n",
      layer, what, static_cast<long>(batch), threads(), limn, eigen, eigen / limn, peak / limn);
  std::fflush(stdout);
}

void measure(const char* layer, Index n, Index side, Index c, Index k, const Window& win, int repeats) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Index out = win.out_h(side), rows = n * out * out, columns = win.area() * c;
  const Tensor<Cpu> x(Shape{n, side, side, c}, .1f), weight(Shape{k, win.kernel_h, win.kernel_w, c}, .1f),
      y(Shape{n, out, out, k}, .1f);
  const Matrix windows = Matrix::Constant(rows, columns, .1f), w = Matrix::Constant(k, columns, .1f),
               g = Matrix::Constant(rows, k, .1f);
  const Index strip = (rows + 4 * threads() - 1) / (4 * threads());
  Matrix forward(rows, k), input(rows, columns), weights(k, columns);
  const double peak = peak_milliseconds(static_cast<double>(rows * columns * k));
  const auto median = [&](const auto& f) { return bench::median(bench::milliseconds(repeats, f)); };

  const double eigen_forward = median([&] {
    parallel_pieces(rows, strip, [&](Index a, Index b) {
      forward.middleRows(a, b - a).noalias() = windows.middleRows(a, b - a) * w.transpose();
    });
  });
  report(layer, "forward", n, median([&] { (void)kernel::conv2d(x, weight, win); }), eigen_forward, peak);
  const double eigen_input = median([&] {
    parallel_pieces(rows, strip,
                    [&](Index a, Index b) { input.middleRows(a, b - a).noalias() = g.middleRows(a, b - a) * w; });
  });
  report(layer, "input", n, median([&] { (void)kernel::conv2d_input(y, weight, x.shape(), win); }), eigen_input, peak);
  const Index part = (k + threads() - 1) / threads();
  const double eigen_weight = median([&] {
    parallel_pieces(k, part, [&](Index a, Index b) {
      weights.middleRows(a, b - a).noalias() = g.middleCols(a, b - a).transpose() * windows;
    });
  });
  report(layer, "weight", n, median([&] { (void)kernel::conv2d_weight(x, y, weight.shape(), win); }), eigen_weight,
         peak);
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const int repeats = quick ? 3 : 15;
  const Index n = quick ? 2 : 8;
  measure("conv1", n, 224, 3, 64, Window::square(7, 2, 3), repeats);
  measure("layer1", n, 56, 64, 64, Window::square(3, 1, 1), repeats);
  measure("layer2 strided", n, 56, 64, 128, Window::square(3, 2, 1), repeats);
  measure("layer2", n, 28, 128, 128, Window::square(3, 1, 1), repeats);
  measure("layer3", n, 14, 256, 256, Window::square(3, 1, 1), repeats);
  measure("layer4", n, 7, 512, 512, Window::square(3, 1, 1), repeats);
  measure("thin", 4 * n, 64, 16, 16, Window::square(3, 1, 1), repeats);
}

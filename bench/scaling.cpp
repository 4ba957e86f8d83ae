// How the time of a training step and of a prediction grows with the batch, the side of the images, the channels and
// the number of clues: what was measured, and the exponent b of a x^b fitted to it (least squares of the logarithms).
// Usage: bench_scaling [--quick] [--only REGEX] [--json FILE]
#include "harness/report.hpp"
#include "harness/training.hpp"

namespace {

using namespace limn;

/// ResNet-18 with one block a stage, so that all cases take a minute.
template <int Width, int Classes = 2, class Pool = pool::Strided>
using Net = models::ResNet<Cpu, 3, Classes, Pool, Width, 1>;

struct Point {
  double x;
  std::vector<double> milliseconds;  ///< of a training step, of a prediction
};

double exponent(const std::vector<Point>& points, std::size_t which) {
  double x = 0, y = 0, xx = 0, xy = 0;
  const auto count = static_cast<double>(points.size());
  for (const Point& p : points) {
    const double a = std::log(p.x), b = std::log(p.milliseconds[which]);
    x += a;
    y += b;
    xx += a * a;
    xy += a * b;
  }
  return (count * xy - x * y) / (count * xx - x * x);
}

template <class N, class L>
Point measure(bench::Report& report, const std::string& what, Index at, Index n, Index side, const L& loss) {
  bench::Training<N, L> training(n, side, loss);
  const N net{Seed{1}};
  const Tensor<Cpu> images = bench::noise(n, side);
  const auto all =
      bench::in_turn({bench::here("step", [&] { training.step(); }), bench::here("prediction",
                                                                                 [&] {
                                                                                   const NoRecord no_record;
                                                                                   Run<Cpu> run;
                                                                                   (void)run(net, Var<Cpu>(images));
                                                                                 })},
                     report.quick() ? bench::Effort{1, 10, 1, 1} : bench::Effort{5, 60});
  Point out{static_cast<double>(at), {}};
  for (const std::size_t i : {0U, 1U}) {
    out.milliseconds.push_back(all.of[i].median);
    report.add({.name = text(i == 0 ? "training step, " : "prediction, ", at, ' ', what),
                .limn_ms = all.of[i].median,
                .limn_spread = all.of[i].spread,
                .others = all.others});
  }
  return out;
}

/// points() measures; it is not called unless the case is wanted.
template <class F>
void fit(bench::Report& report, const std::string& what, const F& points) {
  if (!report.wants(what)) return;
  const std::vector<Point> all = points();
  std::printf("exponent of %s: %.2f in a training step, %.2f in a prediction\n", what.c_str(), exponent(all, 0),
              exponent(all, 1));
}

}  // namespace

int main(int count, char** arguments) {
  bench::Report report("scaling", count, arguments);
  const CrossEntropy plain;
  const auto lap = bench::lap_loss();
  const Index most = report.quick() ? 8 : 32, side = 64;
  fit(report, "images", [&] {
    std::vector<Point> out;
    for (Index n = most / 8; n <= most; n *= 2) out.push_back(measure<Net<32>>(report, "images", n, n, side, plain));
    return out;
  });
  fit(report, "pixels a side", [&] {
    std::vector<Point> out;
    for (Index s = side / 2; s <= 4 * side; s *= 2)
      out.push_back(measure<Net<32>>(report, "pixels a side", s, most / 4, s, plain));
    return out;
  });
  fit(report, "channels", [&] {
    return std::vector<Point>{measure<Net<16>>(report, "channels", 16, most / 4, side, plain),
                              measure<Net<32>>(report, "channels", 32, most / 4, side, plain),
                              measure<Net<64>>(report, "channels", 64, most / 4, side, plain)};
  });
  fit(report, "clues", [&] {
    return std::vector<Point>{measure<Net<32, 4, pool::Lap>>(report, "clues", 4, most / 4, side, lap),
                              measure<Net<32, 16, pool::Lap>>(report, "clues", 16, most / 4, side, lap),
                              measure<Net<32, 64, pool::Lap>>(report, "clues", 64, most / 4, side, lap)};
  });
}

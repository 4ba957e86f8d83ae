// What LAP costs: a training step and a prediction against the same without, and a LAP-Pool against an average pooling
// of the same window plus the 1x1 head that makes its maps. Usage: bench_lap [--quick] [--only REGEX] [--json FILE]
#include "limn/explain/lap/lap.hpp"
#include "harness/report.hpp"
#include "harness/training.hpp"
#include "limn/evaluate/predict.hpp"

namespace {

using namespace limn;
using Plain = models::ResNet18<Cpu, 3, 2>;
using WithLap = models::ResNet18<Cpu, 3, 2, pool::Lap>;

void training(bench::Report& report, Index side, Index n) {
  const std::string name = text("training step, ", side, ", b", n);
  if (!report.wants(name)) return;
  bench::Training<WithLap, bench::LapLoss> with(n, side, bench::lap_loss());
  bench::Training<Plain> without(n, side);
  report.compare(name,
                 {bench::here("limn", [&] { with.step(); }), bench::here("limn without LAP", [&] { without.step(); })});
}

void prediction(bench::Report& report, Index side, Index n) {
  const std::string name = text("prediction and maps, ", side, ", b", n);
  if (!report.wants(name)) return;
  const WithLap net{Seed{1}};
  const Plain plain{Seed{1}};
  const Tensor<Cpu> images = bench::noise(n, side);
  const std::vector<Index> classes(static_cast<std::size_t>(n), 1);  // class 0 is the background and has no map
  report.compare(name, {bench::here("limn",
                                    [&] {
                                      Run<Cpu> run;
                                      (void)probabilities(net, images, run);
                                      (void)explain::Lap{}(run, classes);
                                    }),
                        bench::here("limn, prediction alone",
                                    [&] {
                                      Run<Cpu> run;
                                      (void)probabilities(net, images, run);
                                    }),
                        bench::here("limn without LAP", [&] {
                          Run<Cpu> run;
                          (void)probabilities(plain, images, run);
                        })});
}

template <int C>
void pooling(bench::Report& report, Index n, Index side) {
  const std::string name = text("LAP-Pool both ways, ", n, "x", side, "x", side, "x", C);
  if (!report.wants(name)) return;
  LapPool<Cpu, C, lap::binary(), 3, 2, 1> pool;
  initialise(pool, Seed{1});
  const Var<Cpu> x = leaf(bench::noise(n, side, C));
  std::vector<Var<Cpu>> wanted{x};
  for (const auto& p : parameters(pool))
    if (p.path.rfind("discriminative", 0) != 0) wanted.push_back(*p.parameter);
  const std::vector<Var<Cpu>> without_alpha(wanted.begin(), wanted.end() - 1);
  const Window window = Window::square(3, 2, 1);
  const Var<Cpu> upstream = Tensor<Cpu>(Shape{n, window.out_h(side), window.out_w(side), C}, 1.f);
  report.compare(name, {bench::here("limn",
                                    [&] {
                                      Run<Cpu> run;
                                      (void)grad<Cpu>({run(pool, x)}, wanted, {.upstream = {upstream}});
                                    }),
                        bench::here("limn, average pooling and head", [&] {
                          Run<Cpu> run;
                          const Var<Cpu> maps = sum(sigmoid(run(pool.head, x)));
                          (void)grad<Cpu>({avg_pool2d(x, window), maps}, without_alpha, {.upstream = {upstream, {}}});
                        })});
}

}  // namespace

int main(int count, char** arguments) {
  bench::Report report("lap", count, arguments);
  if (!report.quick()) training(report, 224, 8);
  training(report, 64, report.quick() ? 8 : 64);
  for (const Index n : {1, 8}) prediction(report, report.quick() ? 64 : 224, n);
  pooling<64>(report, 8, 56);
  pooling<128>(report, 8, 28);
  pooling<256>(report, 8, 14);
}

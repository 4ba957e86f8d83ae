// LAP-Pool, forward and backward, against an average pooling of the same window plus the 1x1 head that makes its maps.
// Usage: bench_lap_pool [--quick]
#include <cstdio>
#include <cstring>

#include "limn/nn/lap.hpp"
#include "timing.hpp"

namespace {

using namespace limn;

template <int C>
void measure(Index n, Index size, int repeats) {
  LapPool<Cpu, C, lap::binary(), 3, 2, 1> pool;
  initialise(pool, Seed{1});
  Random random(Seed{2});
  Tensor<Cpu> images(Shape{n, size, size, C});
  for (float& v : images.span()) v = static_cast<float>(random.normal());
  const Var<Cpu> x = leaf(images);
  std::vector<Var<Cpu>> wanted{x};
  for (const auto& p : parameters(pool))
    if (p.path.rfind("discriminative", 0) != 0) wanted.push_back(*p.parameter);
  std::vector<Var<Cpu>> without_alpha(wanted.begin(), wanted.end() - 1);

  const Window window = Window::square(3, 2, 1);
  const Var<Cpu> upstream = Tensor<Cpu>(Shape{n, window.out_h(size), window.out_w(size), C}, 1.f);
  const auto lap = bench::milliseconds(repeats, [&] {
    Run<Cpu> run;
    (void)grad<Cpu>({run(pool, x)}, wanted, {.upstream = {upstream}});
  });
  const auto average = bench::milliseconds(repeats, [&] {
    Run<Cpu> run;
    const Var<Cpu> maps = sum(sigmoid(run(pool.head, x)));
    (void)grad<Cpu>({avg_pool2d(x, window), maps}, without_alpha, {.upstream = {upstream, {}}});
  });
  std::printf(
      "{\"bench\": \"lap_pool\", \"case\": \"n%ld_%ld_c%d\", \"limn_ms\": %.3f, \"peer\": \"avg_pool2d + head\", "
      "\"peer_ms\": %.3f, \"ratio\": %.2f}\n",
      static_cast<long>(n), static_cast<long>(size), C, bench::median(lap), bench::median(average),
      bench::median(lap) / bench::median(average));
}

}  // namespace

int main(int count, char** arguments) {
  const int repeats = count > 1 && std::strcmp(arguments[1], "--quick") == 0 ? 5 : 41;
  measure<64>(8, 56, repeats);
  measure<128>(8, 28, repeats);
  measure<256>(8, 14, repeats);
}

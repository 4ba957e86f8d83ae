// One training step of ResNet-18 (forward, cross-entropy, backward, Adam), plain and with LAP, and its peak memory.
// versus_torch.py runs it in turn with PyTorch.
// Usage: bench_training_step [--quick]
#include <cstdio>
#include <cstring>

#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/models/resnet.hpp"
#include "limn/optim/optimizer.hpp"
#include "timing.hpp"

namespace {

using namespace limn;

template <class Net, AnyLoss L>
void measure(const char* name, const L& loss, Index batch_size, Index size, int repeats) {
  MemoryPool::instance().trim();
  MemoryPool::instance().reset_peak();
  Net net{Seed{1}};
  auto optimizer = make_optimizer(Adam{{.lr = 1e-4}}, net);
  Random random(Seed{2});
  Batch<Cpu> batch{Tensor<Cpu>(Shape{batch_size, size, size, 3}), {}, {}, {}};
  for (float& v : batch.images.span()) v = static_cast<float>(random.normal());
  for (Index i = 0; i < batch_size; ++i) batch.labels.push_back(i % 2);
  std::vector<Var<Cpu>> trained;
  for (const auto& p : parameters(net)) trained.push_back(*p.parameter);

  const auto times = bench::milliseconds(repeats, [&] {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> logits = run(net, Var<Cpu>(batch.images));
    const auto value = as_loss(loss)(Step<Cpu>{batch, logits, run});
    optimizer.step(grad<Cpu>({value.total}, trained), 1);
    run.commit();
  });
  std::printf(
      "{\"bench\": \"training_step\", \"case\": \"%s\", \"batch\": %ld, \"size\": %ld, \"threads\": %d, \"limn_ms\": "
      "%.1f, \"min_ms\": %.1f, \"max_ms\": %.1f, \"tensor_mb\": %.0f}\n",
      name, static_cast<long>(batch_size), static_cast<long>(size), threads(), bench::median(times), times.front(),
      times.back(), static_cast<double>(MemoryPool::instance().use().peak) / 1048576);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  using Plain = models::ResNet18<Cpu, 3, 2>;
  using WithLap = models::ResNet18<Cpu, 3, 2, pool::Lap>;
  const auto lap = CrossEntropy{} + LapSupervision{} + LapConcordance{};
  const int repeats = quick ? 2 : 7;
  if (!quick) measure<Plain>("resnet18", CrossEntropy{}, 8, 224, repeats);
  measure<Plain>("resnet18", CrossEntropy{}, quick ? 8 : 64, 64, repeats);
  if (!quick) measure<WithLap>("resnet18_lap", lap, 8, 224, repeats);
  measure<WithLap>("resnet18_lap", lap, quick ? 8 : 64, 64, repeats);
}

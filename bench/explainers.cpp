// What an explanation costs: images through ResNet-18 in batches, against Captum's method of the same name and against
// limn's prediction alone; and what explanation losses add to a training step. Usage: bench_explainers [--quick]
// [--only REGEX] [--json FILE]
#include "harness/peer.hpp"
#include "harness/report.hpp"
#include "harness/training.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/loss/explanation/explanation.hpp"

namespace {

using namespace limn;

struct Setting {
  Index images, batch, side;
};

/// f(batch of images, classes) explains.
template <class F>
void measure(bench::Report& report, bench::Peer& captum, const char* title, const char* method, const Setting& s,
             const models::ResNet18<Cpu, 3, 2>& net, const F& f) {
  const std::string name = text(title, ", ", s.images, " images, ", s.side);
  if (!report.wants(name)) return;
  const Tensor<Cpu> batch = bench::noise(s.batch, s.side);
  const std::vector<Index> classes(static_cast<std::size_t>(s.batch), 0);
  const auto all = [&](const auto& each) {
    for (Index i = 0; i < s.images; i += s.batch) each();
  };
  std::vector<bench::Contender> contenders{
      bench::here("limn", [&] { all([&] { (void)f(batch, std::span<const Index>(classes)); }); }),
      bench::here("limn, prediction alone", [&] {
        all([&] {
          const NoRecord no_record;
          Run<Cpu> run;
          (void)run(net, Var<Cpu>(batch));
        });
      })};
  captum.join(contenders, text("explain ", method, ' ', s.images, ' ', s.batch, ' ', s.side));
  report.compare(name, contenders);
}

/// A training step with an explanation loss against one without.
template <class L>
void training(bench::Report& report, const char* title, Index n, Index side, const L& loss) {
  using Net = models::ResNet18<Cpu, 3, 2>;
  const std::string name = text("training step, ", title, ", ", side, ", b", n);
  if (!report.wants(name)) return;
  bench::Training<Net, decltype(CrossEntropy{} + loss)> with(n, side, CrossEntropy{} + loss);
  bench::Training<Net> without(n, side);
  report.compare(name, {bench::here("limn", [&] { with.step(); }),
                        bench::here("limn, cross-entropy alone", [&] { without.step(); })});
}

}  // namespace

int main(int count, char** arguments) {
  bench::Report report("explainers", count, arguments);
  bench::Peer captum = bench::captum();
  const Setting setting = report.quick() ? Setting{8, 4, 64} : Setting{64, 16, 224};
  const models::ResNet18<Cpu, 3, 2> net{Seed{1}};
  measure(report, captum, "Grad-CAM", "grad_cam", setting, net,
          [&](const auto& images, const auto& classes) { return explain::GradCam<"layer4">{}(net, images, classes); });
  measure(report, captum, "guided backprop", "guided_backprop", setting, net,
          [&](const auto& images, const auto& classes) { return explain::GuidedBackprop{}(net, images, classes); });
  const Index n = report.quick() ? 2 : 8, side = report.quick() ? 64 : 128;
  using AtLayer4 = ExplanationLoss<GradCam<"layer4">, OutsideMass>;
  training(report, "Grad-CAM at layer4, constant weights", n, side, AtLayer4{{.weights = Weights::constant}});
  training(report, "Grad-CAM at layer4", n, side, AtLayer4{});
  training(report, "Grad-CAM at layer2", n, side, ExplanationLoss<GradCam<"layer2">, OutsideMass>{});
  training(report, "input gradient", n, side, ExplanationLoss<explain::InputGradient, Rrr>{});
}

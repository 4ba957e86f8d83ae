// What an explanation costs: images through ResNet-18 in batches, against Captum's method of the same name and against
// limn's prediction alone. Usage: bench_explainers [--quick] [--only REGEX] [--json FILE]
#include "harness/peer.hpp"
#include "harness/report.hpp"
#include "harness/training.hpp"
#include "limn/explain/grad_cam.hpp"
#include "limn/explain/guided_backprop.hpp"

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
}

// ResNet-18 as a whole: a training step (forward, cross-entropy, backward, Adam) and its peak memory, and prediction.
// Usage: bench_network [--quick] [--only REGEX] [--json FILE]; with --worker it is the process whose memory is taken.
#include "harness/peer.hpp"
#include "harness/report.hpp"
#include "harness/training.hpp"
#include "peers/worker.hpp"

namespace {

using namespace limn;
using Net = models::ResNet18<Cpu, 3, 2>;

std::function<void()> prepare(std::istream& words) {
  std::string kind;
  Index n = 0, side = 0;
  words >> kind >> n >> side;
  if (kind == "step") return [training = std::make_shared<bench::Training<Net>>(n, side)] { training->step(); };
  return [net = std::make_shared<Net>(Seed{1}), packed = std::make_shared<PackedWeights<Cpu>>(),
          images = bench::noise(n, side)] {
    const NoRecord no_record;
    Run<Cpu> run;
    run.packed = packed.get();
    (void)run(*net, Var<Cpu>(images));
  };
}

void compare(bench::Report& report, const std::string& name, const std::string& words,
             const std::vector<std::pair<bench::Peer*, std::string>>& peers, bool memory) {
  if (!report.wants(name)) return;
  std::vector<double> megabytes;
  if (memory) {
    megabytes.push_back(bench::Peer("limn", {"/proc/self/exe", "--worker"}).megabytes(words));
    for (const auto& [peer, label] : peers) megabytes.push_back(peer->megabytes(words));
  }
  std::istringstream in(words);
  std::vector<bench::Contender> contenders{bench::here("limn", prepare(in))};
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const std::size_t before = contenders.size();
    peers[i].first->join(contenders, words, peers[i].second);
    if (contenders.size() == before && memory) megabytes.erase(megabytes.begin() + static_cast<std::ptrdiff_t>(before));
  }
  report.compare(name, contenders, 0, megabytes);
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::strcmp(arguments[1], "--worker") == 0) {
    bench::pin_threads();
    return bench::serve("limn", prepare);
  }
  bench::Report report("network", count, arguments);
  bench::Peer tuned = bench::pytorch_tuned(), plain = bench::pytorch_as_it_comes(), dlib = bench::dlib();
  struct Case {
    Index side, n;
    bool with_dlib;  // it is several times slower: once is enough
  };
  const auto steps = report.quick() ? std::vector<Case>{{64, 8, true}}
                                    : std::vector<Case>{{224, 8, true}, {224, 32, false}, {64, 64, false}};
  for (const Case& c : steps) {
    std::vector<std::pair<bench::Peer*, std::string>> peers{{&tuned, ""}, {&plain, ""}};
    if (c.with_dlib) peers.emplace_back(&dlib, "");
    compare(report, text("ResNet-18 training step, ", c.side, ", b", c.n), text("step ", c.n, ' ', c.side), peers,
            true);
  }
  for (const Index n : {1, 8}) {
    const Index side = report.quick() ? 64 : 224;
    compare(report, text("ResNet-18 prediction, ", side, ", b", n), text("forward ", n, ' ', side),
            {{&tuned, "PyTorch optimize_for_inference"}}, false);
  }
}

// What several benchmarks do with a network: a training step, a prediction.
#pragma once

#include <algorithm>

#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/models/resnet.hpp"
#include "limn/optim/optimizer.hpp"

namespace bench {

/// Images (n, side, side, channels) of noise.
inline limn::Tensor<limn::Cpu> noise(limn::Index n, limn::Index side, limn::Index channels = 3) {
  limn::Random random(limn::Seed{2});
  limn::Tensor<limn::Cpu> out(limn::Shape{n, side, side, channels});
  for (float& v : out.span()) v = static_cast<float>(random.normal());
  return out;
}

/// Forward, loss, backward and Adam, as train::fit does them.
template <class Net, limn::AnyLoss L = limn::CrossEntropy>
class Training {
 public:
  Training(limn::Index n, limn::Index side, L loss = {})
      : loss_(loss), batch_{noise(n, side), {}, limn::Tensor<limn::Cpu>(limn::Shape{n, side, side, 1}, 0.f), {}} {
    for (limn::Index i = 0; i < n; ++i) {
      batch_.labels.push_back(i % 2);
      batch_.has_mask.push_back(1);
      std::fill_n(batch_.masks.data() + i * side * side, side * side / 4, 1.f);  // the upper quarter
    }
  }
  void step() {
    limn::Run<limn::Cpu> run;
    run.training = true;
    const auto loss = limn::as_loss(loss_);
    loss.watch(net_, run);
    const limn::Var<limn::Cpu> logits = run(net_, run.input(batch_.images));
    const auto value = loss(limn::Step<limn::Cpu>{batch_, logits, run});
    optimizer_.step(limn::grad<limn::Cpu>({value.total}, trained_), 1);
    run.commit();
  }

 private:
  Net net_{limn::Seed{1}};
  L loss_;
  limn::Optimizer<limn::Cpu> optimizer_ = limn::make_optimizer(limn::Adam{{.lr = 1e-4}}, net_);
  std::vector<limn::Var<limn::Cpu>> trained_ = optimizer_.variables();
  limn::Batch<limn::Cpu> batch_;
};

/// The loss of a network with LAPs.
inline auto lap_loss() { return limn::CrossEntropy{} + limn::LapSupervision{} + limn::LapConcordance{}; }
using LapLoss = decltype(lap_loss());

}  // namespace bench

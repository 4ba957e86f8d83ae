// A network answers and learns as torch's: same weights, same pictures, same numbers (record_resnet.py).
#include <doctest/doctest.h>

#include "limn/loss/classification.hpp"
#include "limn/models/resnet.hpp"
#include "limn/optim/optimizer.hpp"
#include "recorded.hpp"

using namespace limn;
using testing::check_recorded, testing::in_file_order, testing::recorded;

TEST_CASE("ResNetSmall gives torch's logits, losses and gradients") {
  const io::TensorFile expected = recorded("resnet_small_expected.safetensors");
  models::ResNetSmall<Cpu, 3, 2> net;
  put_weights(leaves(net), recorded("resnet_small.safetensors"), "resnet_small.safetensors");

  const Batch<Cpu> batch = testing::recorded_batch(expected);
  {
    const NoRecord off;
    Run<Cpu> run;
    const Var<Cpu> logits = run(net, batch.images);
    check_recorded(in_file_order(logits.value()), expected, "logits");
  }

  auto optimizer = make_optimizer(Sgd{{.lr = 0.01, .momentum = 0.9, .weight_decay = 1e-3}}, net);
  const auto losses = io::values<double>(expected.at("losses"));
  int gradients_seen = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> logits = run(net, batch.images);
    const Var<Cpu> loss = CrossEntropy{}(Step<Cpu>{batch, logits, run});
    CAPTURE(step);
    CHECK(static_cast<double>(loss.item()) == doctest::Approx(losses[step]).epsilon(testing::recorded_tolerance));
    const auto gradients = grad<Cpu>({loss}, optimizer.variables());
    for (std::size_t i = 0; step == 0 && i < gradients.size(); ++i) {
      const std::string name = "gradient." + optimizer.path(i);
      if (!expected.tensors.contains(name)) continue;
      check_recorded(in_file_order(gradients[i].value()), expected, name);
      ++gradients_seen;
    }
    optimizer.step(gradients);
    run.commit();
  }
  CHECK(gradients_seen == 5);
  check_recorded(in_file_order(net.conv1.weight.value()), expected, "conv1.weight");
  check_recorded(in_file_order(net.bn1.running_var.value()), expected, "bn1.running_var");
  CHECK(net.bn1.num_batches_tracked.value()(0) == io::values<Index>(expected.at("bn1.num_batches_tracked"))[0]);
}

// A network answers and learns as torch's: same weights, same pictures, same numbers (record_resnet.py).
#include <doctest/doctest.h>

#include "limn/models/resnet.hpp"
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
  CHECK(testing::check_steps(net, batch, expected) == 5);
  check_recorded(in_file_order(net.conv1.weight.value()), expected, "conv1.weight");
  check_recorded(in_file_order(net.bn1.running_var.value()), expected, "bn1.running_var");
  CHECK(net.bn1.num_batches_tracked.value()(0) == io::values<Index>(expected.at("bn1.num_batches_tracked"))[0]);
}

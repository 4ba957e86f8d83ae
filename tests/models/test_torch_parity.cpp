// A network answers and learns as torch's: same weights, same pictures, same numbers (record_resnet.py). The recorded
// numbers are double precision, so the tolerance, 1e-4 of the largest, is what float may lose on the way.
#include <doctest/doctest.h>

#include <filesystem>

#include "limn/loss/classification.hpp"
#include "limn/models/resnet.hpp"
#include "limn/models/weights.hpp"
#include "limn/optim/optimizer.hpp"

using namespace limn;

namespace {

constexpr double tolerance = 1e-4;

io::TensorFile recorded(const char* name) {
  return io::read_safetensors(std::filesystem::path(__FILE__).parent_path() / name);
}

/// `values` are in the order of files.
void check_close(const std::vector<float>& values, const io::Entry& entry, const std::string& what) {
  const auto expected = io::values<double>(entry);
  REQUIRE(values.size() == expected.size());
  double largest = 0, furthest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    furthest = std::max(furthest, std::abs(static_cast<double>(values[i]) - expected[i]));
  }
  CAPTURE(what);
  CAPTURE(largest);
  CHECK(furthest / largest < tolerance);
}

std::vector<float> in_file_order(const Tensor<Cpu>& x) { return io::values<float>(detail::entry_of(x)); }

}  // namespace

TEST_CASE("ResNetSmall gives torch's logits, losses and gradients") {
  const io::TensorFile expected = recorded("resnet_small_expected.safetensors");
  models::ResNetSmall<Cpu, 3, 2> net;
  put_weights(leaves(net), recorded("resnet_small.safetensors"), "resnet_small.safetensors");

  Batch<Cpu> batch;
  const auto pixels = io::values<float>(expected.at("images"));
  batch.images = Tensor<Cpu>(Shape{4, 64, 48, 3}, std::span<const float>(pixels));
  batch.labels = io::values<Index>(expected.at("labels"));
  {
    const NoRecord off;
    Run<Cpu> run;
    const Var<Cpu> logits = run(net, batch.images);
    check_close(in_file_order(logits.value()), expected.at("logits"), "logits");
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
    CHECK(static_cast<double>(loss.item()) == doctest::Approx(losses[step]).epsilon(tolerance));
    const auto gradients = grad<Cpu>({loss}, optimizer.variables());
    for (std::size_t i = 0; step == 0 && i < gradients.size(); ++i) {
      const auto found = expected.tensors.find("gradient." + optimizer.path(i));
      if (found == expected.tensors.end()) continue;
      check_close(in_file_order(gradients[i].value()), found->second, optimizer.path(i));
      ++gradients_seen;
    }
    optimizer.step(gradients);
    run.commit();
  }
  CHECK(gradients_seen == 5);
  check_close(in_file_order(net.conv1.weight.value()), expected.at("conv1.weight"), "conv1.weight after 5 steps");
  check_close(in_file_order(net.bn1.running_var.value()), expected.at("bn1.running_var"), "running variance");
  CHECK(net.bn1.num_batches_tracked.value()(0) == io::values<Index>(expected.at("bn1.num_batches_tracked"))[0]);
}

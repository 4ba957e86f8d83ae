// DenseNet: torchvision's names, shapes and numbers (record_densenet.py), sizes as published, explanations by block.
#include <doctest/doctest.h>

#include <fstream>

#include "../nn/helpers.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/models/densenet.hpp"
#include "limn/models/prototypical.hpp"
#include "limn/nn/check_layer.hpp"
#include "recorded.hpp"

using namespace limn;
using testing::check_recorded, testing::in_file_order, testing::recorded;

namespace {

using Big = models::DenseNet121<Cpu, 3, 1000>;
using Recorded = models::DenseNet<Cpu, 3, 3, 4, models::Blocks{2, 3, 1, 2}>;

// Huang et al. 2017, Table 1: 56, 28, 14, 7; 256, 512, 1024, 1024 channels behind the blocks.
static_assert(shape_of<Big::Features>({224, 224, 3}) == Dims{7, 7, 1024});
static_assert(shape_of<decltype(Big::Features::transition1)>({56, 56, 256}) == Dims{28, 28, 128});
static_assert(decltype(Big::Features::denseblock2)::out_channels == 512);
static_assert(decltype(Big::Features::denseblock3)::out_channels == 1024);
static_assert(shape_of<Big>({224, 224, 3}) == Dims{1, 1, 1000});
static_assert(shape_of<models::SlimDenseFeatures<Cpu, 1>>({48, 48, 1}) == Dims{3, 3, 48});
// The active learning paper's network: DenseNet-121 without its head (7978856 - 1025 x 1000), a linear layer to 512.
using Paper = models::Prototypical<models::DenseNet121Features<Cpu, 3>, 3, 512>;
static_assert(parameter_count<Paper>() == 7978856 - 1025 * 1000 + 1025 * 512);

}  // namespace

TEST_CASE("DenseNet-121 has torchvision's names, shapes and order") {
  const Big net{Seed{1}};
  CHECK(parameter_count(net) == 7978856);  // as torchvision documents it
  static_assert(parameter_count<Big>() == 7978856);
  std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "recorded/densenet121_names.txt");
  std::vector<std::string> expected, found;
  for (std::string line; std::getline(in, line);) expected.push_back(line);
  const io::TensorFile file = weights_of(leaves(net));
  for (const auto& leaf : leaves(net)) {
    found.push_back(leaf.path);
    for (const Index extent : file.at(leaf.path).shape) found.back() += text(" ", extent);
  }
  REQUIRE(expected.size() == 727);
  CHECK(found == expected);

  const NoRecord off;
  Run<Cpu> run;
  const auto map = run.tap(at<"features.denseblock4">(net));
  CHECK(run(net, Var<Cpu>(Tensor<Cpu>(Shape{1, 224, 224, 3}, .5f))).shape() == Shape{1, 1000});
  CHECK(run.tapped(map).shape() == Shape{1, 7, 7, 1024});
}

TEST_CASE("DenseNet-121 as a prototypical network: points of 512 numbers and length one") {
  Paper net{Seed{1}};
  net.prototypes.value()(0, 0) = net.prototypes.value()(1, 1) = net.prototypes.value()(2, 2) = 1;
  const NoRecord off;
  Run<Cpu> run;
  const auto map = run.tap(at<"features.denseblock4">(net)), point = run.tap(net.embedding);
  const Tensor<Cpu> logits = run(net, Var<Cpu>(Tensor<Cpu>(Shape{1, 224, 224, 3}, .5f))).value();
  CHECK(run.tapped(map).shape() == Shape{1, 7, 7, 1024});
  const Tensor<Cpu>& x = run.tapped(point).value();
  REQUIRE(x.shape() == Shape{1, 512});
  double length = 0;
  for (const float v : x.span()) length += static_cast<double>(v) * static_cast<double>(v);
  CHECK(length == doctest::Approx(1).epsilon(1e-5));
  REQUIRE(logits.shape() == Shape{1, 3});
  for (Index k = 0; k < 3; ++k)  // -(1 + 1 - 2 x_k)
    CHECK(static_cast<double>(logits(0, k)) == doctest::Approx(2 * static_cast<double>(x(0, k)) - 2).epsilon(1e-4));
}

TEST_CASE("a DenseNet gives torch's logits, losses and gradients") {
  const io::TensorFile expected = recorded("densenet_expected.safetensors");
  Recorded net;
  put_weights(leaves(net), recorded("densenet.safetensors"), "densenet.safetensors");
  const Batch<Cpu> batch = testing::recorded_batch(expected);
  {
    const NoRecord off;
    Run<Cpu> plain, tapped;
    check_recorded(in_file_order(plain(net, batch.images).value()), expected, "logits");
    const auto map = tapped.tap(at<"features.denseblock4">(net));
    check_recorded(in_file_order(tapped(net, batch.images).value()), expected, "logits");
    const Tensor<Cpu>& values = tapped.tapped(map).value();
    check_recorded({values.data(), values.data() + values.size()}, expected, "map");
  }
  CHECK(testing::check_steps(net, batch, expected) == 7);
  check_recorded(in_file_order(net.features.norm5.running_var.value()), expected, "features.norm5.running_var");
}

TEST_CASE("a dense block and a transition have exact gradients of both orders") {
  const auto block = check_layer<models::DenseBlock<CpuDouble, 2, 2, 2>>({3, 4, 2});
  CAPTURE(block.where);
  CHECK(block.error < 1e-6);
  const auto transition = check_layer<models::Transition<CpuDouble, 4>>({4, 4, 4});
  CAPTURE(transition.where);
  CHECK(transition.error < 1e-6);
}

TEST_CASE("recomputation gives the same bits, and a block can be explained") {
  const Recorded net{Seed{3}};
  const Tensor<Cpu> images = testing::random_tensor<Cpu>({2, 64, 64, 3}, "images");
  const auto gradient = [&](bool checkpoint) {
    Run<Cpu> run;
    run.training = true;
    run.checkpoint = checkpoint;
    const Var<Cpu> loss = sum(square(run(net, Var<Cpu>(images))));
    CHECK(run.has_parts());
    return grad(loss, net.features.conv0.weight).value();
  };
  CHECK(testing::same_bits(gradient(false), gradient(true)));

  const auto found = explain::GradCam<"features.denseblock3">{}(net, images, std::vector<Index>{0, 2});
  CHECK(found[1].map.shape() == std::array<std::size_t, 2>{4, 4});
  CHECK(found[1].grid->rows.step == 16);  // strides of 2: the stem, the max-pooling, two transitions
}

// LAPs beside a trained network: its outputs to the bit, the maps and where they lie, names, errors.
#include <doctest/doctest.h>

#include "../helpers.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/loss/lap.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/attach.hpp"

using namespace limn;
using testing::difference, testing::message_of, testing::random_tensor, testing::same_bits;

namespace {

using Small = models::ResNetSmall<Cpu, 1, 3>;

/// Running statistics and weights that are not those of the start.
template <class Net>
void make_trained(Net& net) {
  for (const auto& leaf : leaves(net)) {
    Random random(Seed{3}, leaf.path);
    if (leaf.buffer != nullptr)
      for (float& v : leaf.buffer->value().span()) v = static_cast<float>(.5 + random.uniform());
    if (leaf.parameter != nullptr)
      for (float& v : leaf.parameter->value().span()) v += static_cast<float>(.1 * random.uniform());
  }
}

template <class Net>
Tensor<Cpu> logits(const Net& net, const Tensor<Cpu>& x, bool recorded, bool training = false) {
  std::optional<NoRecord> off;
  if (!recorded) off.emplace();
  Run<Cpu> run;
  run.training = training;
  return run(net, Var<Cpu>(x)).value();
}

/// A network whose only layers are computed alone or together.
struct Plain {
  Conv2d<Cpu, 1, 4, 3, 2, 1, false> conv;
  BatchNorm2d<Cpu, 4> bn;
  Conv2d<Cpu, 4, 8, 3, 1, 1> next;
  Linear<Cpu, 8, 2> fc;
  static constexpr auto fields = Fields{field<"conv">(&Plain::conv), field<"bn">(&Plain::bn),
                                        field<"next">(&Plain::next), field<"fc">(&Plain::fc)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const {
    return run(fc, flatten(global_average(run(next, conv_norm_relu(conv, bn, x, run)))));
  }
};

}  // namespace

TEST_CASE("ResNet-18: every output has the bits of the network alone") {
  models::ResNet18<Cpu, 3, 3> net{Seed{2}};
  make_trained(net);
  const Tensor<Cpu> x = random_tensor<Cpu>({2, 64, 64, 3}, "x");
  const auto laps = lap::attach<"layer1", "layer3", "layer4.0", "layer4">(net, lap::one_vs_others<3>());
  const auto copy = net;
  for (const bool recorded : {false, true}) {
    const Tensor<Cpu> alone = logits(net, x, recorded);
    CHECK(same_bits(logits(laps, x, recorded), alone));
  }
  // In training the network runs as in prediction too, and what the pass commits changes nothing of it.
  Run<Cpu> run;
  run.training = true;
  CHECK(same_bits(run(laps, Var<Cpu>(x)).value(), logits(net, x, false)));
  CHECK(run.training);
  run.commit();
  const auto now = leaves(net), then = leaves(copy);
  for (std::size_t i = 0; i < now.size(); ++i)
    if (now[i].buffer != nullptr) CHECK(same_bits(now[i].buffer->value(), then[i].buffer->value()));
  REQUIRE(run.laps.size() == 4);
  const Index sizes[] = {16, 4, 2, 2};
  for (std::size_t l = 0; l < 4; ++l) {
    CHECK(run.laps[l].logits.shape() == Shape{2, sizes[l], sizes[l], 3});
    CHECK(run.laps[l].discriminative.shape() == run.laps[l].logits.shape());
  }
}

TEST_CASE("the maps are those of the heads on the layers' outputs, and say where they lie") {
  Small net{Seed{2}};
  make_trained(net);
  auto laps = lap::attach<"layer2", "layer4">(net, lap::one_vs_others<3, 1>(), Seed{8});
  const Tensor<Cpu> x = random_tensor<Cpu>({2, 64, 64, 1}, "x");
  Run<Cpu> first;
  (void)first(laps, Var<Cpu>(x));
  CHECK(first.laps[0].discriminative.empty());
  for (const auto& lap : first.laps)  // heads begin without an opinion
    for (const float v : lap.logits.value().span()) CHECK(v == 0);
  auto& head = at<"laps.layer4.head">(laps);
  CHECK(&head == &laps.unit<"layer4">().head);
  head.out.weight.value() = random_tensor<Cpu>({2, 8}, "opinion");
  Run<Cpu> run, plain;
  (void)run(laps, Var<Cpu>(x));
  const std::size_t tap = plain.listen(at<"layer4">(net));
  (void)plain(net, Var<Cpu>(x));
  CHECK(same_bits(run.laps[1].logits.value(), plain(head, plain.tapped(tap)).value()));
  // From layer2 to layer4 two strides of 2, by windows of 3 with padding 1: as if pooled by 5 with stride 4.
  CHECK(run.laps[0].window == Window3d{Window::square(5, 4, 2)});
  CHECK(run.grid(2, 2).rows.first == 0);
  CHECK(run.grid(2, 2).rows.step == 32);
  // Fewer elements in between: the same answer as the plain composition of explain::integrate.
  const std::vector<Index> of{0, 2};
  const auto e = explain::Lap{}(laps, x, std::span<const Index>(of));
  CHECK(e[0].parts.size() == 2);
  CHECK(e[0].map.shape() == std::array<std::size_t, 2>{8, 8});
  CHECK(e[0].grid->rows.step == 8);
}

TEST_CASE("the window between two maps") {
  using limn::detail::window_between;
  const auto is = [](const auto& w, Index kernel, Index stride, Index pad) {
    return w.kernel == kernel && w.stride == stride && w.pad == pad;
  };
  const GridAxis pixels{};
  CHECK(is(window_between(pixels, pixels), 1, 1, 0));
  CHECK(is(window_between(pixels, pixels.pooled(3, 2, 1)), 3, 2, 1));
  CHECK(is(window_between(pixels, pixels.pooled(2, 2, 0)), 2, 2, 0));
  CHECK(is(window_between(pixels, pixels.pooled(7, 2, 3)), 3, 2, 1));  // what it reads more, its neighbours read too
  CHECK(is(window_between(pixels, pixels.pooled(3, 2, 1).pooled(3, 2, 1)), 5, 4, 2));
  CHECK(is(window_between(pixels.pooled(3, 2, 1), pixels.pooled(3, 2, 1).pooled(3, 2, 1)), 3, 2, 1));
  CHECK(window_between(pixels, {0, 2.5}).kernel == 0);
  CHECK(window_between(pixels, {5, 2}).kernel == 0);  // begins behind the first elements
}

TEST_CASE("only the heads learn: the network has no gradient in training, and explainers have theirs") {
  Small net{Seed{2}};
  make_trained(net);
  const auto laps = lap::attach<"layer3">(net, lap::one_vs_others<3>());
  const Batch<Cpu> batch{random_tensor<Cpu>({3, 32, 32, 1}, "x"), {0, 1, 2}, {}, {}};
  Run<Cpu> run;
  run.training = true;
  const Var<Cpu> y = run(laps, Var<Cpu>(batch.images));
  CHECK(!y.requires_grad());
  const Var<Cpu> loss = LapSupervision{}(Step<Cpu>{batch, y, run});
  CHECK(loss.requires_grad());
  for (const auto& [path, parameter] : parameters(laps)) CHECK(path.starts_with("laps.layer3."));
  CHECK(parameters(laps).size() == 8);

  const std::vector<Index> of{0, 1, 2};
  const std::span<const Index> classes(of);
  CHECK(explain::GradCam<"layer4">{}(laps, batch.images, classes)[1].map ==
        explain::GradCam<"layer4">{}(net, batch.images, classes)[1].map);
  CHECK(explain::GuidedBackprop{}(laps, batch.images, classes)[1].map ==
        explain::GuidedBackprop{}(net, batch.images, classes)[1].map);
}

TEST_CASE("a network with LAPs of its own keeps them to itself") {
  const models::ResNetSmall<Cpu, 1, 2, pool::LapWith<lap::binary(), lap::Aggregate::learned>> net{Seed{2}};
  const auto laps = lap::attach<"layer4">(net, lap::binary());
  Run<Cpu> run;
  (void)run(laps, Var<Cpu>(random_tensor<Cpu>({1, 32, 32, 1}, "x")));
  CHECK(run.laps.size() == 1);
  std::vector<std::string> learned;
  for (const auto& [path, parameter] : parameters(net))
    if (path.ends_with("aggregate.weight")) learned.push_back(path);
  CHECK(learned == std::vector<std::string>{"layer2.0.lap.aggregate.weight", "layer3.0.lap.aggregate.weight",
                                            "layer4.0.lap.aggregate.weight", "avgpool.aggregate.weight"});
}

TEST_CASE("layers that are computed together are refused, not answered wrongly; alone they can be looked at") {
  Plain net;
  initialise(net, Seed{1});
  const Tensor<Cpu> x = random_tensor<Cpu>({2, 16, 16, 1}, "x");
  CHECK(same_bits(logits(lap::attach<"next">(net, lap::binary()), x, false), logits(net, x, false)));
  CHECK(message_of([&] { (void)logits(lap::attach<"conv">(net, lap::binary()), x, false); }) ==
        "this layer is computed together with others, and what it gives alone is not known: listen to the block that "
        "it is in");
  const Small small{Seed{1}};
  CHECK(message_of([&] {
          (void)logits(lap::attach<"layer2.0.conv1">(small, lap::one_vs_others<3>()), x, false);
        }).starts_with("at layer2.0: this layer is computed together with others"));
}

TEST_CASE("what cannot be is refused") {
  Small net{Seed{1}};
  ClueSystem<2, 3> clues{{1, 1, -1, -1, 1, 1}};
  CHECK(message_of([&] { (void)lap::attach<"layer4">(net, clues); }) ==
        "clues: class 0 is not told from class 1: every clue that speaks for it speaks for both");
  const auto at_fc = lap::attach<"fc">(net, lap::one_vs_others<3>());
  CHECK(message_of([&] {
          (void)logits(at_fc, random_tensor<Cpu>({2, 32, 32, 1}, "x"), false);
        }) == "lap::attach: fc gives (2, 3), expected a map (n, h, w, channels) or (n, d, h, w, channels)");
  // An error of the network says where in the network.
  const auto laps = lap::attach<"layer4">(net, lap::one_vs_others<3>());
  CHECK(message_of([&] {
          (void)logits(laps, random_tensor<Cpu>({2, 32, 32, 2}, "x"), true);
        }).starts_with("conv2d at conv1: "));
}

// The map of BotCL for a class: attention times the classifier's weights, by hand.
#include "limn/explain/botcl.hpp"

#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor;
using Net = BotClNet<models::ResNetSmall<Cpu, 1, 3>, "layer2", 4, 8>;

TEST_CASE("BotCL's map is the attention weighted for the class") {
  Net net{Seed{4}};
  auto& weight = net.botcl.classify.weight.value();  // (3, 4)
  for (Index i = 0; i < weight.size(); ++i) weight.data()[i] = static_cast<float>(i % 5) - 1.5f;
  const auto images = random_tensor<Cpu>({2, 32, 32, 1}, "images");
  const std::vector<Index> classes{2, 0};

  const NoRecord no_record;
  Run<Cpu> run;
  const std::size_t tap = run.tap(net.botcl.attention);
  (void)run(net, Var<Cpu>(images));
  const Tensor<Cpu>& attention = run.tapped(tap).value();
  REQUIRE(attention.shape() == Shape({2, 4, 4, 4}));

  for (const bool against : {false, true}) {
    const auto maps = explain::BotCl<>{.against = against}(net, images, std::span<const Index>(classes));
    REQUIRE(maps.size() == 2);
    for (Index i = 0; i < 2; ++i) {
      const auto& e = maps[static_cast<std::size_t>(i)];
      REQUIRE(e.map.shape() == std::array<std::size_t, 2>{4, 4});
      REQUIRE(e.parts.size() == 4);
      REQUIRE(e.grid.has_value());
      CHECK(e.grid->rows.step == run.grid(4, 4).rows.step);
      for (Index y = 0; y < 4; ++y)
        for (Index x = 0; x < 4; ++x) {
          float sum = 0;
          for (Index k = 0; k < 4; ++k) {
            const float w = weight(classes[static_cast<std::size_t>(i)], k);
            if (w > 0 || against) sum += w * attention(i, y, x, k);
            CHECK(e.parts[static_cast<std::size_t>(k)].map(y, x) == doctest::Approx(attention(i, y, x, k)));
          }
          CHECK(e.map(y, x) == doctest::Approx(sum));
        }
    }
    CHECK(maps[0].parts[0].name == "concept 1 (weight 1.5)");  // weight 8 of 12: 8 % 5 - 1.5
    const auto alone = explain::BotCl<>{.against = against}(net, testing::picture(images, 1),
                                                            std::span<const Index>(classes).subspan(1));
    for (std::size_t p = 0; p < 16; ++p) CHECK(alone[0].map.data()[p] == doctest::Approx(maps[1].map.data()[p]));
  }
}

TEST_CASE("BotCL inside a Sequential, and other explainers on its backbone") {
  Sequential<Conv2d<Cpu, 1, 8, 3, 4, 1>, Relu<Cpu>, BotCl<Cpu, 8, 2, 3, 8>> chain;
  initialise(chain, Seed{1});
  const Tensor<Cpu> images(Shape{1, 16, 16, 1}, .5f);
  const std::vector<Index> classes{1};
  CHECK(explain::BotCl<"2">{}(chain, images, std::span<const Index>(classes))[0].map.size() == 16);
  CHECK(explain::GradCam<"layer2">{}(Net{Seed{4}}, Tensor<Cpu>(Shape{1, 32, 32, 1}, .5f),
                                     std::span<const Index>(classes))[0]
            .map.size() == 16);
}

TEST_CASE("BotCL refuses classes that are not there") {
  const Net net{Seed{4}};
  const Tensor<Cpu> images(Shape{1, 32, 32, 1}, .5f);
  const std::vector<Index> wrong{3}, many{0, 1};
  CHECK(message_of([&] { (void)explain::BotCl{}(net, images, std::span<const Index>(wrong)); }) ==
        "explain::BotCl: class 3, expected 0 to 2");
  CHECK(message_of([&] { (void)explain::BotCl{}(net, images, std::span<const Index>(many)); }) ==
        "explain::BotCl: images (1, 32, 32, 1), but 2 classes");
}

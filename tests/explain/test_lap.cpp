// The explanation of LAPs: Algorithm 1 against a naive transcription, by hand, and from a pass.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/explain/lap/lap_alone.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using explain::Map;

namespace {

Map random_map(std::size_t h, std::size_t w, const std::string& key) {
  Map out(std::array<std::size_t, 2>{h, w});
  Random random(Seed{9}, key);
  for (float& v : out) v = static_cast<float>(random.uniform());
  return out;
}

Map made(std::size_t h, std::size_t w, std::initializer_list<float> values) {
  Map out(std::array<std::size_t, 2>{h, w});
  std::copy(values.begin(), values.end(), out.begin());
  return out;
}

/// Algorithm 1, lines 3 to 23, pixel by pixel of R_{l+1}; its kernel are the elements of P_l that begin inside it, or
/// (`windows`) those from one before to one after twice its position.
Map naive_integrate(const std::vector<Map>& maps, bool windows = false) {
  const std::size_t deepest = maps.size();
  Map r = maps[deepest - 1];  // line 5: l = L
  for (std::size_t l = deepest - 1; l >= 1; --l) {
    const Map& p = maps[l - 1];
    Map next(p.shape(), 0.f);
    for (std::size_t i = 0; i < r.shape()[0]; ++i)
      for (std::size_t j = 0; j < r.shape()[1]; ++j) {
        std::vector<std::array<std::size_t, 2>> kernel;
        for (std::size_t y = 0; y < p.shape()[0]; ++y)
          for (std::size_t x = 0; x < p.shape()[1]; ++x)
            if (windows ? y + 1 >= 2 * i && y <= 2 * i + 1 && x + 1 >= 2 * j && x <= 2 * j + 1
                        : y * r.shape()[0] / p.shape()[0] == i && x * r.shape()[1] / p.shape()[1] == j)
              kernel.push_back({y, x});
        float largest = 0;
        for (const auto& [y, x] : kernel) largest = std::max(largest, p(y, x));
        for (const auto& [y, x] : kernel) {
          float here = r(i, j);  // line 9
          if (r(i, j) >= 0.5f && largest >= 0.5f) {
            const float decayed = p(y, x) * static_cast<float>(std::pow(0.8, static_cast<double>(deepest - l)));
            here = p(y, x) >= 0.5f ? std::max(r(i, j), decayed) : decayed;
          }
          next(y, x) = std::max(next(y, x), here);  // kernels may overlap
        }
      }
    r = next;
  }
  return r;
}

double difference(const Map& a, const Map& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
  return worst;
}

}  // namespace

TEST_CASE("by hand: 2 x 2 over 4 x 4") {
  const Map deep = made(2, 2, {.9f, .9f, .2f, .6f});
  const Map fine = made(4, 4,
                        {.7f, .1f, .3f, .4f,  //
                         .2f, 1.f, .1f, .2f,  //
                         .9f, .9f, .8f, .5f,  //
                         .9f, .9f, .4f, .1f});
  // Top left: active and confirmed: .7 and 1 are active: max(.9, .8 p) = .9; the others are .8 p. Top right: nothing of
  // it is active: inherits .9. Bottom left: not active: inherits .2. Bottom right: max(.6, .64) and max(.6, .4), .8 p.
  const Map expected = made(4, 4,
                            {.9f, .08f, .9f, .9f,  //
                             .16f, .9f, .9f, .9f,  //
                             .2f, .2f, .64f, .6f,  //
                             .2f, .2f, .32f, .08f});
  CHECK(difference(explain::integrate({fine, deep}), expected) < 1e-6);
  CHECK(difference(explain::integrate({deep}), deep) == 0);
  // Another threshold: nothing reaches .95 in the deeper map, so all of it is inherited.
  CHECK(explain::integrate({fine, deep}, {}, {.threshold = .95f})(0, 1) == .9f);
}

TEST_CASE("by hand: windows that overlap, the larger value counts") {
  const Map deep = made(1, 2, {.9f, .2f});
  const Map fine = made(1, 4, {.1f, .7f, .6f, .2f});
  // Element 0 stands for 0 and 1, element 1 for 1 to 3. The first is active and confirmed by .7: .8 * .1, max(.9, .56).
  // The second is not active: .2 on its three, but the shared one keeps .9.
  const std::vector<Window> windows{{1, 3, 1, 2, 0, 1}, {}};
  CHECK(difference(explain::integrate({fine, deep}, windows), made(1, 4, {.08f, .9f, .2f, .2f})) < 1e-6);
  // What no window reads had no part in the answer. Windows that do not lead from one size to the other are not used.
  CHECK(difference(explain::integrate({made(1, 3, {.1f, .7f, .6f}), made(1, 1, {.9f})}, {{1, 2, 1, 2, 0, 0}, {}}),
                   made(1, 3, {.08f, .9f, 0.f})) < 1e-6);
  CHECK(difference(explain::integrate({fine, deep}, {{1, 4, 1, 2, 0, 0}, {}}), explain::integrate({fine, deep})) == 0);
}

TEST_CASE("random maps: Algorithm 1 as printed, at any ratio of sizes") {
  using Sizes = std::vector<std::array<std::size_t, 2>>;
  for (const Sizes& sizes : {Sizes{{8, 8}, {8, 8}}, Sizes{{8, 6}, {4, 3}}, Sizes{{7, 9}, {4, 5}, {4, 2}, {1, 1}},
                             Sizes{{16, 16}, {8, 8}, {4, 4}, {4, 4}}, Sizes{{5, 5}, {3, 2}}})
    for (int round = 0; round < 5; ++round) {
      std::vector<Map> maps;
      for (std::size_t l = 0; l < sizes.size(); ++l)
        maps.push_back(random_map(sizes[l][0], sizes[l][1], text("map", l, round, sizes[0][0])));
      CHECK(difference(explain::integrate(maps), naive_integrate(maps)) < 1e-6);
    }
  const std::vector<Window> windows(3, Window::square(3, 2, 1));
  for (const Sizes& sizes : {Sizes{{16, 16}, {8, 8}, {4, 4}}, Sizes{{9, 14}, {5, 7}, {3, 4}}}) {
    std::vector<Map> maps;
    for (const auto& [h, w] : sizes) maps.push_back(random_map(h, w, text("windows", h, w)));
    CHECK(difference(explain::integrate(maps, windows), naive_integrate(maps, true)) < 1e-6);
  }
}

TEST_CASE("the sum keeps the order below the threshold") {
  const Map sum = explain::sum_of({made(2, 4, {.1f, .2f, .3f, .4f, .5f, .6f, .7f, .8f}), made(1, 2, {.1f, .4f})},
                                  {{}, {{.5, 2}, {.5, 2}}});  // each of the second covers two of the first
  CHECK(difference(sum, made(2, 4, {.2f, .375f, .625f, .8f, .6f, .775f, 1.025f, 1.2f})) < 1e-6);
}

TEST_CASE("what cannot be joined is refused") {
  CHECK(testing::message_of([] { (void)explain::integrate({}); }) == "integrate: no maps");
  CHECK(testing::message_of([] {
          (void)explain::integrate({random_map(2, 4, "a"), random_map(3, 4, "b")});
        }) == "integrate: a shallower map of 2 x 4 after a deeper one of 3 x 4");
}

TEST_CASE("from made-up LAPs: the mean over the clues that speak for the class, each picture by itself") {
  // Clue 0 speaks for class 0, clue 1 for classes 0 and 1; class 2 is the background.
  static constexpr ClueSystem<2, 3> clues{{1, -1, -1, 1, 1, -1}};
  const auto logit = [](float p) { return std::log(p / (1 - p)); };
  const Tensor<Cpu> logits(Shape{3, 1, 2, 2}, {logit(.2f), logit(.6f), logit(.8f), logit(.4f),  //
                                               logit(.3f), logit(.9f), logit(.5f), logit(.1f),  //
                                               logit(.3f), logit(.9f), logit(.5f), logit(.1f)});
  Run<Cpu> run;
  run.laps.push_back({Var<Cpu>(logits), {}, clues.table()});
  const std::vector<Index> of{0, 1, 2};
  const auto e = explain::Lap{}(run, std::span<const Index>(of));
  CHECK(difference(e[0].map, made(1, 2, {.4f, .6f})) < 1e-6);
  CHECK(difference(e[1].map, made(1, 2, {.9f, .1f})) < 1e-6);
  CHECK(e[2].map.size() == 0);  // the background has no map
  CHECK(!e[2].ranking);
  CHECK(e[0].parts.size() == 1);
  CHECK(e[0].parts[0].name == "LAP 1 (1 x 2)");
  const std::vector<Index> wrong{3};
  CHECK(testing::message_of([&] { (void)explain::Lap{}(run, std::span<const Index>(wrong)); }) ==
        "explain::Lap: class 3, expected 0 to 2");
}

TEST_CASE("a network explains itself: depths, sizes, a batch as its pictures") {
  const models::ResNetSmall<Cpu, 1, 2, pool::Lap> net{Seed{1}};
  const Tensor<Cpu> x = testing::random_tensor<Cpu>({2, 64, 64, 1}, "x");
  const std::vector<Index> of{1, 1};
  const auto all = explain::Lap{}(net, x, std::span<const Index>(of));
  REQUIRE(all.size() == 2);
  CHECK(all[0].map.shape() == std::array<std::size_t, 2>{16, 16});
  REQUIRE(all[0].parts.size() == 4);
  CHECK(all[0].parts[3].name == "LAP 4 (2 x 2)");
  std::vector<Map> parts;
  for (const auto& part : all[1].parts) parts.push_back(part.map);
  CHECK(difference(all[1].map, naive_integrate(parts, true)) < 1e-6);
  // The stem and every LAP-Pool halve: element i of the last map lies at pixel 32i.
  const std::vector<Grid> grids{{{0, 4}, {0, 4}}, {{0, 8}, {0, 8}}, {{0, 16}, {0, 16}}, {{0, 32}, {0, 32}}};
  for (std::size_t l = 0; l < 4; ++l) {
    CHECK(all[0].parts[l].grid->rows.first == 0);
    CHECK(all[0].parts[l].grid->columns.step == grids[l].columns.step);
  }
  CHECK(all[0].grid->rows.step == 4);
  CHECK(difference(*all[1].ranking, explain::sum_of(parts, grids)) < 1e-6);
  for (Index i = 0; i < 2; ++i) {
    const auto one = explain::Lap{}(net, testing::picture(x, i), std::span<const Index>(of.data(), 1));
    CHECK(difference(*one[0].ranking, *all[static_cast<std::size_t>(i)].ranking) < 1e-5);
  }
  const models::ResNetSmall<Cpu, 1, 2> plain{Seed{1}};
  CHECK(testing::message_of([&] { (void)explain::Lap{}(plain, x, std::span<const Index>(of)); }) ==
        "explain::Lap: the network has no LAP (use pool::Lap)");
}

TEST_CASE("one LAP by itself") {
  const models::ResNetSmall<Cpu, 1, 2, pool::Lap> net{Seed{1}};
  const Tensor<Cpu> x = testing::random_tensor<Cpu>({2, 64, 64, 1}, "x");
  const std::vector<Index> of{1, 0};
  const auto all = explain::Lap{}(net, x, std::span<const Index>(of));
  const auto third = explain::LapAlone{3}(net, x, std::span<const Index>(of));
  REQUIRE(third.size() == 2);
  CHECK(third[0].map == all[0].parts[2].map);
  CHECK(third[0].grid->rows.step == 16);
  CHECK_FALSE(third[0].ranking.has_value());
  CHECK(third[1].map.size() == 0);  // no clue speaks for class 0
  CHECK(testing::message_of([&] { (void)explain::LapAlone{5}(net, x, std::span<const Index>(of)); }) ==
        "explain::LapAlone: LAP 5, expected 1 to 4");
}

TEST_CASE("a map is laid over the picture where its elements lie") {
  const Map map = made(2, 2, {0, 2, 4, 6});
  // Elements at pixels 0 and 2; beyond the last one its value again.
  CHECK(difference(explain::over_picture(map, Grid{{0, 2}, {0, 2}}, 4, 4),
                   made(4, 4, {0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 6, 4, 5, 6, 6})) == 0);
  // Without a grid two pixels for each element: their middles are at 1/2 and 5/2.
  CHECK(difference(explain::over_picture(map, std::nullopt, 2, 4), made(2, 4, {0, .5f, 1.5f, 2, 4, 4.5f, 5.5f, 6})) <
        1e-6);
}

TEST_CASE("Grad-CAM says where its elements lie") {
  const models::ResNetSmall<Cpu, 1, 2> net{Seed{1}};
  const std::vector<Index> of{1};
  const auto e =
      explain::GradCam<"layer3">{}(net, testing::random_tensor<Cpu>({1, 64, 64, 1}, "x"), std::span<const Index>(of));
  REQUIRE(e[0].grid);
  CHECK(e[0].grid->rows.first == 0);
  CHECK(e[0].grid->columns.step == 16);
}

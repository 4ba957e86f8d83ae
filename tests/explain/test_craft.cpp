// CRAFT against its definition written out with scikit-learn and scipy (record_concepts.py), and on a net by hand.
#include "limn/explain/craft.hpp"

#include <doctest/doctest.h>

#include "../backend/reference_conv.hpp"
#include "limn/models/resnet.hpp"
#include "recorded/attribution_net.hpp"
#include "recorded/concept_fixtures.hpp"

using namespace limn;
using namespace limn::testing;
namespace recorded = limn::recorded_concepts;

namespace {

using D = CpuDouble;

/// The net of record_concepts.py; the concepts are those of layer 4.
auto recorded_net() {
  Sequential<Conv2d<D, 2, 4, 3, 1, 1>, Relu<D>, MaxPool2d<D, 2>, Conv2d<D, 4, 6, 3, 1, 1>, Relu<D>,
             Conv2d<D, 6, 4, 3, 1, 1>, Relu<D>, GlobalAverage<D>, Flatten<D>, Linear<D, 4, 3>>
      net;
  at<"0">(net).weight.value() = wave({4, 3, 3, 2}, 0.7, 0.6);
  at<"0">(net).bias.value() = wave({4}, 2.1, 0.2);
  at<"3">(net).weight.value() = wave({6, 3, 3, 4}, 1.9, 0.5);
  at<"3">(net).bias.value() = wave({6}, 1.3, 0.2);
  at<"5">(net).weight.value() = wave({4, 3, 3, 6}, 2.9, 0.5);
  at<"5">(net).bias.value() = wave({4}, 0.8, 0.3);
  at<"9">(net).weight.value() = wave({3, 4}, 0.9, 1);
  at<"9">(net).bias.value() = wave({3}, 1.5, 0.1);
  return net;
}

Tensor<D> recorded_pictures() {
  Tensor<D> x = wave({5, 14, 14, 2}, 1.3, 1);
  const Tensor<D> slow = wave(x.shape(), 0.071, 1, 0.5);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] *= slow.data()[i];
  return x;
}

explain::CraftOptions recorded_options() {
  return {.concepts = 3, .patch = 6. / 14, .design = 16, .nmf = {.rounds = 2000}};
}

template <std::size_t N>
double off_from(const std::vector<explain::Map>& maps, const double (&expected)[N]) {
  std::vector<double> found;
  for (const explain::Map& map : maps) found.insert(found.end(), map.begin(), map.end());
  return off(std::span<const double>(found), expected);
}

/// Two colours and what they stand for: red gives the channels (1, 2, 0, 0), green (0, 0, 3, 1). Class 0 is the second
/// channel, class 1 the sum of the last two, class 2 nothing.
struct Painted {
  using Net = Sequential<Conv2d<Cpu, 2, 4, 1>, Relu<Cpu>, GlobalAverage<Cpu>, Flatten<Cpu>, Linear<Cpu, 4, 3>>;
  Net net;
  Painted() {
    at<"0.weight">(net).value() = Tensor<Cpu>(Shape{4, 1, 1, 2}, {1, 0, 2, 0, 0, 3, 0, 1});
    at<"4.weight">(net).value() = Tensor<Cpu>(Shape{3, 4}, {0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0});
  }
  /// A red and a green square of 6 x 6 on black, at other places in every picture.
  static Tensor<Cpu> pictures(Index count) {
    Tensor<Cpu> x(Shape{count, 16, 16, 2}, 0);
    for (Index i = 0; i < count; ++i)
      for (Index y = 0; y < 6; ++y)
        for (Index j = 0; j < 6; ++j) {
          x(i, y + 1 + i % 2, j + 1, 0) = 1;
          x(i, y + 8, j + 9 - i % 3, 1) = 1;
        }
    return x;
  }
};

const std::vector<Index> two_of_class_0{0, 0};

}  // namespace

TEST_CASE("CRAFT is what its definition gives with scikit-learn and scipy") {
  const auto net = recorded_net();
  explain::Craft<"4"> craft{recorded_options()};
  craft.fit(net, recorded_pictures(), 0);
  CHECK(is_recording());
  const explain::Concepts& concepts = craft.learned.at(0);
  CHECK(static_cast<double>(concepts.rounds) == recorded::craft_rounds[0]);
  CHECK(off(concepts.components, recorded::craft_components) < 1e-7);
  CHECK(off(std::span<const double>(concepts.importances), recorded::craft_importances) < 1e-5);

  const Tensor<D> images = kernel::slice(recorded_pictures(), 0, 0, 2);
  const auto found = craft(net, images, std::span<const Index>(two_of_class_0));
  REQUIRE(found.size() == 2);
  CHECK(off_from({found[0].map, found[1].map}, recorded::craft_relevance) < 1e-5);
  std::vector<explain::Map> parts;
  for (const explain::MapPart& part : found[0].parts) parts.push_back(part.map);
  CHECK(off_from(parts, recorded::craft_concepts) < 1e-5);
  CHECK(found[0].parts[1].name == "concept 2 (0.2)");
  REQUIRE(found[0].grid);
  CHECK(found[0].grid->rows.first == 0.5);
  CHECK(found[0].grid->rows.step == 2);

  craft.options.above_percentile = 90;
  const auto above = craft(net, images, std::span<const Index>(two_of_class_0));
  CHECK(off_from({above[0].map, above[1].map}, recorded::craft_above_90) < 1e-5);
}

TEST_CASE("the number of maps per pass changes nothing") {
  explain::Craft<"4"> craft{recorded_options()}, one_by_one{recorded_options()};
  one_by_one.options.batch = 7;
  craft.fit(recorded_net(), recorded_pictures(), 0);
  one_by_one.fit(recorded_net(), recorded_pictures(), 0);
  CHECK(difference(craft.learned.at(0).components, one_by_one.learned.at(0).components) < 1e-9);
  for (std::size_t k = 0; k < 3; ++k)
    CHECK(craft.learned.at(0).importances[k] == doctest::Approx(one_by_one.learned.at(0).importances[k]).epsilon(1e-9));
}

TEST_CASE("patches are the published ones at 224 pixels") {
  const explain::CraftOptions usual;
  const explain::Patches published(224, usual.patch, usual.stride), smaller(100, 0.3, 0.5), whole(9, 1, 2),
      tiny(9, 0.01, 0.1);
  CHECK(std::vector{published.size, published.step, published.count} == std::vector<Index>{64, 51, 4});
  CHECK(std::vector{smaller.size, smaller.step, smaller.count} == std::vector<Index>{30, 15, 5});
  CHECK(std::vector{whole.size, whole.step, whole.count} == std::vector<Index>{9, 18, 1});
  CHECK(std::vector{tiny.size, tiny.step, tiny.count} == std::vector<Index>{1, 1, 9});
}

TEST_CASE("planted concepts are found, weighed and shown where they are") {
  const Painted painted;
  explain::Craft<"1"> craft{{.concepts = 2, .patch = 0.25, .stride = 1, .nmf = {2000, 1e-12}}};
  const Tensor<Cpu> pictures = Painted::pictures(6);
  craft.fit(painted.net, pictures, 0);
  craft.fit(painted.net, pictures, 1);
  const double a = std::sqrt(5), b = std::sqrt(10);
  const Tensor<D> red(Shape{1, 4}, {1 / a, 2 / a, 0, 0}), green(Shape{1, 4}, {0, 0, 3 / b, 1 / b});
  const auto row = [&](Index of_class, Index k) { return picture(craft.learned.at(of_class).components, k); };
  CHECK(difference(row(0, 0), red) < 1e-4);  // the most important first
  CHECK(difference(row(0, 1), green) < 1e-4);
  CHECK(difference(row(1, 0), green) < 1e-4);
  CHECK(difference(row(1, 1), red) < 1e-4);
  for (const Index of_class : {0, 1}) {
    const std::vector<double>& importance = craft.learned.at(of_class).importances;
    CHECK(importance[0] == doctest::Approx(1).epsilon(0.2));  // 32 points estimate it
    CHECK(importance[1] < 1e-6);
  }

  const std::vector<Index> classes{1, 0, 2};
  const auto found = craft(painted.net, kernel::slice(pictures, 0, 0, 3), std::span<const Index>(classes));
  CHECK(found[2].map.size() == 0);  // nothing was learned of class 2
  CHECK(found[2].parts.empty());
  for (Index i : {0, 1}) {
    const auto at = static_cast<std::size_t>(i);
    const Index colour = classes[at] == 0 ? 0 : 1;
    const double height = (colour == 0 ? a : b) * craft.learned.at(classes[at]).importances[0];
    double worst = 0;
    for (Index y = 0; y < 16; ++y)
      for (Index x = 0; x < 16; ++x) {
        const double expected = static_cast<double>(pictures(i, y, x, colour)) * height;
        worst = std::max(worst, std::abs(static_cast<double>(found[at].map(y, x)) - expected));
      }
    CHECK(worst < 1e-3);
  }
}

TEST_CASE("a batch is explained as its pictures are, and twice learned is the same") {
  const WithoutWinograd off;
  const models::ResNetSmall<Cpu, 1, 2> net{Seed{2}};
  const Tensor<Cpu> pictures = random_tensor<Cpu>({6, 40, 40, 1}, "pictures");
  explain::Craft<"layer2"> craft{{.concepts = 4, .design = 8}}, again{craft.options};
  craft.fit(net, pictures, 1);
  again.fit(net, pictures, 0);
  again.learned.clear();
  again.fit(net, pictures, 1);
  CHECK(same_bits(craft.learned.at(1).components, again.learned.at(1).components));
  CHECK(craft.learned.at(1).importances == again.learned.at(1).importances);
  const std::vector<Index> classes(6, 1);
  const auto all = craft(net, pictures, std::span<const Index>(classes));
  double worst = 0, largest = 0;
  for (Index i = 0; i < 6; ++i) {
    const auto alone = craft(net, picture(pictures, i), std::span<const Index>(classes.data(), 1));
    const explain::Map &one = alone[0].map, &in_batch = all[static_cast<std::size_t>(i)].map;
    for (std::size_t p = 0; p < one.size(); ++p) {
      largest = std::max(largest, static_cast<double>(one.data()[p]));
      worst = std::max(worst, static_cast<double>(std::abs(one.data()[p] - in_batch.data()[p])));
    }
  }
  REQUIRE(largest > 0);
  CHECK(worst < 1e-4 * largest);
}

TEST_CASE("what CRAFT cannot work with is refused") {
  const Painted painted;
  const Tensor<Cpu> pictures = Painted::pictures(2);
  const auto fitting = [&](explain::CraftOptions options, Index of_class = 0) {
    options.concepts = std::min<Index>(options.concepts, 5);
    return message_of([&] { explain::Craft<"1">{options}.fit(painted.net, pictures, of_class); });
  };
  CHECK(fitting({}, 3) == "class_score: class 3, expected 0 to 2");
  CHECK(fitting({.concepts = 2}, 2) == "CRAFT: the score of class 2 is the same whatever the concepts do");
  CHECK(fitting({}) == "CRAFT: 5 concepts of 18 patches and 4 channels, expected 1 to 4");
  CHECK(fitting({.concepts = 0}) == "CRAFT: 0 concepts, 32 points, batch 64: expected 1, 2 and 1 or more");
  CHECK(fitting({.patch = 1.5}) == "CRAFT: patch 1.5, stride 0.8: expected shares above 0, of the picture not above 1");
  CHECK(fitting({.above_percentile = 100}) == "CRAFT: above_percentile 100, expected 0 to 100");

  explain::Craft<"1"> craft{{.concepts = 2}};
  const auto asked = [&](std::span<const Index> classes) {
    return message_of([&] { (void)craft(painted.net, pictures, classes); });
  };
  CHECK(asked(two_of_class_0) == "CRAFT: no concepts were learned: call fit(net, pictures, class) first");
  craft.fit(painted.net, pictures, 0);
  CHECK(asked(std::vector<Index>{0, 3}) == "class_score: class 3, expected 0 to 2");
  CHECK(asked(std::vector<Index>{0}) == "class_score: logits (2, 3), but 1 classes");
  CHECK(message_of([&] {
          craft.fit(painted.net, Tensor<Cpu>(Shape{16, 16, 2}, 1), 0);
        }) == "CRAFT: expected pictures (n, h, w, c), got (16, 16, 2)");

  Painted negative;
  at<"0.bias">(negative.net).value().fill(-1);
  CHECK(message_of([&] { explain::Craft<"0">{}.fit(negative.net, pictures, 0); }) ==
        "CRAFT: 0 gives -1, expected 0 or more (a layer that ends with a ReLU)");
  CHECK(message_of([&] { explain::Craft<"4">{}.fit(painted.net, pictures, 0); }) ==
        "CAM: the layer gives (18, 3), expected a map (n, h, w, c)");
}

// gallery(): which pictures it shows and with which maps.
#include <doctest/doctest.h>

#include "bright.hpp"
#include "limn/evaluate/gallery.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using testing::Bright, testing::pictures;

TEST_CASE("the gallery: pictures of each class in turn, the positive class first, and a quarter of errors at the end") {
  const auto ids = [](Index count) {
    std::string out;
    for (const auto& picture : gallery(Bright{}, pictures(), count).pictures) out += picture.id + ", ";
    return out;
  };
  // Wrong: alarm (certainty .96), missed (.90).
  CHECK(ids(4) == "hit, exact, empty mask, alarm, ");
  CHECK(ids(3) == "hit, exact, empty mask, ");
  CHECK(ids(8) == "hit, exact, no mask, empty mask, healthy, alarm, ");  // 7 pictures: at most one error
  const auto shown = gallery(Bright{}, pictures(), 4).pictures;
  CHECK(shown[3].truth == "no");
  CHECK(shown[3].predicted == "yes");
  CHECK(shown[3].probability == doctest::Approx(1 / (1 + std::exp(-8 * .4))));
  CHECK(shown[0].mask.has_value());
  CHECK(shown[0].maps.empty());  // this net has neither LAPs nor a layer4
}

TEST_CASE("the gallery of a network with LAPs shows every depth, the whole, and Grad-CAM") {
  std::vector<data::Sample> samples;
  for (int i = 0; i < 2; ++i) {
    data::Sample s{.id = std::to_string(i), .group = "", .label = i, .image = {}, .mask = std::nullopt};
    s.image.resize({32, 32, 1});
    const auto noise = testing::random_tensor<Cpu>({32, 32, 1}, s.id);
    std::copy(noise.data(), noise.data() + noise.size(), s.image.begin());
    samples.push_back(std::move(s));
  }
  const models::ResNetSmall<Cpu, 1, 2, pool::Lap> net{Seed{1}};
  const auto shown = gallery(net, {samples, {"no", "yes"}}, 12).pictures;
  REQUIRE(!shown.empty());
  for (const auto& picture : shown) {
    REQUIRE(picture.maps.size() == 6);
    CHECK(picture.maps[0].name == "LAP 1 (8 x 8)");
    CHECK(picture.maps[4].name == "LAP, all depths");
    CHECK(picture.maps[5].name == "Grad-CAM");
    CHECK(picture.maps[4].probability);
    CHECK(!picture.maps[5].probability);
    CHECK(picture.maps[4].map.size() ==
          picture.image.size());  // also where the background is predicted: the other class is explained
  }
}

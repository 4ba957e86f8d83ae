// Faithfulness of maps to networks: by hand, against the definitions in numpy, and for maps that are perfect, random
// and inverted.
#include "limn/evaluate/faithfulness.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../io/support.hpp"
#include "bright.hpp"
#include "itself.hpp"
#include "limn/evaluate/study_values.hpp"
#include "limn/explain/gradients/gradient.hpp"
#include "limn/metrics/classification.hpp"
#include "limn/metrics/degradation.hpp"
#include "limn/report/html.hpp"
#include "recorded_faithfulness.hpp"

using namespace limn;
using doctest::Approx;
using metrics::FaithfulnessOptions;
using testing::Bright, testing::Itself, testing::message_of, testing::sample;

namespace {

/// logits = weight x picture, weight (classes, h w c).
template <Backend B>
struct Flat {
  Parameter<B> weight{Shape{3, 6 * 7 * 2}};
  static constexpr auto fields = Fields{field<"weight">(&Flat::weight)};
  Var<B> operator()(const Var<B>& x, auto&) const {
    return matmul(reshape(x, {x.dim(0), x.size() / x.dim(0)}), Var<B>(weight), {.b = true});
  }
};

/// logits (-s, s), s = weight x picture.
struct Signed {
  Parameter<Cpu> weight{Shape{2, 144}};
  Signed() {
    for (Index k = 0; k < 144; ++k) {
      Random random(Seed{3}, "weight", k);
      weight.value()(1, k) = static_cast<float>(random.normal());
      weight.value()(0, k) = -weight.value()(1, k);
    }
  }
  static constexpr auto fields = Fields{field<"weight">(&Signed::weight)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto&) const {
    return matmul(reshape(x, {x.dim(0), Index{144}}), Var<Cpu>(weight), {.b = true});
  }
};

data::Dataset dataset(const std::vector<float>& values, Index h, Index w, Index c, Index classes) {
  std::vector<data::Sample> samples;
  const auto size = static_cast<std::size_t>(h * w * c);
  for (std::size_t i = 0; i * size < values.size(); ++i) {
    data::Sample s{.id = std::to_string(i), .group = "", .label = 0, .image = {}, .mask = std::nullopt};
    s.image.resize({static_cast<std::size_t>(h), static_cast<std::size_t>(w), static_cast<std::size_t>(c)});
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * size), size, s.image.begin());
    samples.push_back(std::move(s));
  }
  return {samples, std::vector<std::string>(static_cast<std::size_t>(classes), "a class")};
}

double sigma(double x) { return 1 / (1 + std::exp(-x)); }

/// Noise that has nothing to do with the picture, or the negative of another explainer's map.
struct Noise : Itself {
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net&, const Tensor<B>& images, std::span<const Index>) const {
    std::vector<explain::Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) {
      explain::Map map(std::array<std::size_t, 2>{12, 12});
      Random random(Seed{5}, "map", i);
      for (float& v : map) v = static_cast<float>(random.normal());
      out.push_back({.map = map});
    }
    return out;
  }
};
struct Negative : explain::InputTimesGradient {
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net& net, const Tensor<B>& images,
                                               std::span<const Index> classes) const {
    auto out = explain::InputTimesGradient::operator()(net, images, classes);
    for (auto& e : out)
      for (float& v : e.map) v = -v;
    return out;
  }
};

/// Has no map for class 0, and ranks by another map than it shows.
struct Ranked : Itself {
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net& net, const Tensor<B>& images,
                                               std::span<const Index> classes) const {
    auto out = Itself::operator()(net, images, classes);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (classes[i] == 0) out[i] = {};
      if (classes[i] == 1) out[i].ranking = out[i].map;
      if (classes[i] == 1) out[i].map.fill(1);
    }
    return out;
  }
};

template <Backend B>
Flat<B> recorded_net() {
  Flat<B> net;
  std::copy(testing::faithful_weight.begin(), testing::faithful_weight.end(), net.weight.value().data());
  return net;
}

const FaithfulnessOptions by_hand{.keep = {.5, .75}, .points = 4, .shares = {.5}, .step = 1, .insert_from = {}};

}  // namespace

TEST_CASE("by hand: a net that looks at the mean, and a picture that explains itself") {
  // Means of what is left, MIF: .625 .375 .1875 .0625 0, LIF: .625 .5625 .4375 .25 0; it says yes above .5.
  const auto scored =
      score_faithfulness(Bright{}, {{sample("x", 1, {1, .75f, .5f, .25f})}, {"no", "yes"}}, Itself{}, by_hand);
  REQUIRE(scored.pictures.size() == 1);
  const auto of = [&](const char* measure) { return scored.column(measure).at(0); };
  CHECK(scored.pictures[0].predicted == 1);
  CHECK(of("keep 50%") == 0);
  CHECK(of("keep 75%") == 1);
  // At 0, 1, 2, 4 of 4 pixels.
  CHECK(of("MIF area") == Approx(.125));
  CHECK(of("LIF area") == Approx(.25 + .125));
  CHECK(of("SRG") == Approx(.25));
  CHECK(of("SRG of probability") ==
        Approx(.25 * (sigma(.5) - sigma(-1)) / 2 + .25 * (sigma(.5) + sigma(-.5) - sigma(-1) - sigma(-2.5)) / 2 +
               .5 * (sigma(-.5) - sigma(-2.5)) / 2));
  CHECK(of("sufficiency") == Approx(sigma(1) - sigma(-.5)));
  CHECK(of("comprehensiveness") == Approx(sigma(1) - sigma(-2.5)));
  const double ends = (sigma(1) + sigma(-4)) / 2;
  CHECK(of("deletion") == Approx((ends + sigma(-1) + sigma(-2.5) + sigma(-3.5)) / 4));
  CHECK(of("insertion") == Approx((ends + sigma(-2) + sigma(-.5) + sigma(.5)) / 4));
}

TEST_CASE("the degradation score by hand, of the label's class, and adjusted for classes") {
  // As above: a mean of m is called 1 with the probability sigma(8 m - 4), after each of four steps.
  const data::Dataset set{{sample("x", 1, {1, .75f, .5f, .25f}), sample("y", 0, {1, .75f, .5f, .25f})}, {"no", "yes"}};
  FaithfulnessOptions options = metrics::preset::degradation();
  options.fill = {};
  options.degradation = 4;
  const auto scored = score_faithfulness(Bright{}, set, Itself{}, options);
  CHECK(scored.measures == std::vector<std::string>{"DS"});
  const double yes = (sigma(.5) + sigma(-.5) + sigma(-2) - sigma(-1) - sigma(-2.5) - sigma(-3.5)) / 4;
  CHECK(scored.column("DS").at(0) == Approx(yes));
  CHECK(scored.column("DS").at(1) == Approx(-yes));  // of the other class, whose map is no good
  const auto& curves = scored.pictures[0].degradation;
  REQUIRE(curves.lif.size() == 5);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(curves.lif[k] == Approx(sigma(std::array{1., .5, -.5, -2., -4.}.at(k))));
    CHECK(curves.mif[k] == Approx(sigma(std::array{1., -1., -2.5, -3.5, -4.}.at(k))));
    CHECK(scored.scores().degradation.mif[k] == Approx(.5));  // of both classes
  }
  options.degradation = 2;
  CHECK(score_faithfulness(Bright{}, set, Itself{}, options).column("DS").at(0) ==
        Approx((sigma(-.5) - sigma(-2.5)) / 2));

  // Blurred. A neighbour weighs q times what the pixel itself does: 11 pixels of a Gaussian with sigma 5, what lies
  // beyond them folded back from their ends.
  const auto g = [](double x) { return std::exp(-x * x / 50); };
  const double q = (g(1) + g(10) + g(12)) / (g(0) + 2 * g(11)), own = 1 / (1 + q), other = q / (1 + q);
  const std::array<double, 4> is{1, .75, .5, .25};
  std::array<double, 4> blurred{};
  for (std::size_t i = 0; i < 4; ++i)
    blurred.at(i) =
        own * (own * is.at(i) + other * is.at(i ^ 1U)) + other * (own * is.at(i ^ 2U) + other * is.at(i ^ 3U));
  double lerf = 0, morf = 0, mean_lerf = .625, mean_morf = .625;
  for (std::size_t k = 0; k < 4; ++k) {
    mean_morf += (blurred.at(k) - is.at(k)) / 4;  // the brightest is the most important one
    mean_lerf += (blurred.at(3 - k) - is.at(3 - k)) / 4;
    morf += sigma(8 * mean_morf - 4) / 4;
    lerf += sigma(8 * mean_lerf - 4) / 4;
  }
  FaithfulnessOptions paper = metrics::preset::degradation();
  paper.degradation = 4;
  CHECK(score_faithfulness(Bright{}, set, Itself{}, paper).column("DS").at(0) == Approx(lerf - morf).epsilon(1e-4));

  // Means .3 of class 0 and .1 of class 1, .2 of all: Delta is .1.
  const std::vector<double> values{.2, .4, .1, NAN, .1};
  const auto score = metrics::degradation_score(values, std::vector<Index>{0, 0, 1, 1, 1}, 2);
  CHECK(score.mean == Approx(.2));
  CHECK(score.by_class.at(0) == Approx(.3));
  CHECK(score.adjusted == Approx(.1));
  CHECK(metrics::degradation_score(values, std::vector<Index>{0, 0, 1, 1, 1}, 2, .5).adjusted == Approx(.15));
  CHECK(std::isnan(metrics::degradation_score(values, std::vector<Index>{0, 0, 1, 1, 1}, 3).adjusted));
  CHECK(message_of([&] {
          (void)metrics::degradation_score(values, std::vector<Index>{0, 0, 1, 1, 2}, 2);
        }) == "degradation score: label 2, expected 0 to 1");
  CHECK(message_of([&] {
          (void)metrics::degradation_score(values, std::vector<Index>{0, 0, 1, 1, 1}, 2, 2);
        }) == "degradation score: alpha must be 0 to 1, got 2");
  CHECK(message_of([&] { (void)metrics::degradation_score(values, std::vector<Index>{0}, 2); }) ==
        "degradation score: 5 values, but 1 labels");
}

TEST_CASE_TEMPLATE("every measure as defined in numpy, with one recorded network", B, Cpu, CpuDouble) {
  const auto set = dataset(testing::faithful_images, 6, 7, 2, 3);
  FaithfulnessOptions options = metrics::preset::lap_xray();
  options.step = 5;
  options.insert_from = metrics::preset::rise().insert_from;
  const auto scored = score_faithfulness(recorded_net<B>(), set, Itself{}, options);
  REQUIRE(scored.measures.size() == 13);
  REQUIRE(scored.pictures.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t k = 0; k < 13; ++k) {
      CAPTURE(scored.measures[k]);
      CHECK(scored.pictures[i].values.at(k) == Approx(testing::faithful_values.at(i * 13 + k)).epsilon(1e-5));
    }
}

TEST_CASE("pictures in batches of any size are scored as alone") {
  const auto set = dataset(testing::faithful_images, 6, 7, 2, 3);
  const auto net = recorded_net<Cpu>();
  FaithfulnessOptions options{.step = 6, .patch = 2, .fill = {.with = metrics::FillWith::mean}};
  std::vector<std::vector<double>> alone;
  for (Index i = 0; i < set.size(); ++i)
    alone.push_back(score_faithfulness(net, set.subset({i}), Itself{}, options).pictures.at(0).values);
  for (const Index batch : {1, 7, 1000}) {
    options.batch = batch;
    const auto together = score_faithfulness(net, set, Itself{}, options);
    for (std::size_t i = 0; i < alone.size(); ++i)
      for (std::size_t k = 0; k < alone[i].size(); ++k)
        CHECK(together.pictures[i].values[k] == Approx(alone[i][k]).epsilon(1e-5));
  }
}

TEST_CASE("SRG: large for the perfect map, 0 for noise, the opposite for the inverted map") {
  std::vector<float> values;
  Random random(Seed{4}, "pictures");
  for (int k = 0; k < 60 * 144; ++k) values.push_back(static_cast<float>(random.normal()));
  const auto scores =
      evaluate(Signed{}, dataset(values, 12, 12, 1, 2),
               metrics::Faithfulness{explain::InputTimesGradient{}, Noise{}, Negative{}}.with({.fill = {.value = 0}}));
  REQUIRE(scores.faithfulness.size() == 3);
  const auto &perfect = scores.faithfulness[0], &noise = scores.faithfulness[1], &inverted = scores.faithfulness[2];
  CHECK(perfect.images == 60);
  CHECK(perfect["SRG"] > .6);
  CHECK(perfect["keep 50%"] == 1);
  CHECK(std::abs(noise["SRG"]) < .1);
  CHECK(inverted["SRG"] == Approx(-perfect["SRG"]));
  CHECK(perfect["comprehensiveness"] > noise["comprehensiveness"] + .2);
  CHECK(noise["sufficiency"] > perfect["sufficiency"] + .2);
  CHECK(perfect.taken.front() == 0);
  CHECK(perfect.taken.back() == 1);
  CHECK(perfect.agrees.lif.front() == 1);
}

TEST_CASE("which pictures, which class, and why something is undefined") {
  const data::Dataset set{{sample("up", 0, {1, .75f, .5f, .25f}), sample("flat", 1, {.9f, .9f, .9f, .9f}),
                           sample("down", 1, {.1f, .2f, .3f, .1f})},
                          {"no", "yes"}};
  const auto scored = score_faithfulness(Bright{}, set, Ranked{}, by_hand);
  REQUIRE(scored.pictures.size() == 3);
  CHECK(scored.pictures[0].explained == 1);
  CHECK(scored.pictures[0].label == 0);
  CHECK(scored.column("SRG")[0] == Approx(.25));  // by the ranking, not by the map
  CHECK(scored.pictures[1].reason == "the map is the same everywhere");
  CHECK(scored.pictures[2].reason == "the explainer has no map for the class");
  CHECK(std::isnan(scored.column("SRG")[1]));
  CHECK(scored.scores().undefined == 2);
  CHECK(scored.scores().reasons.size() == 2);

  auto options = by_hand;
  options.only = 0;
  const auto down = score_faithfulness(Bright{}, set, Itself{}, options);
  REQUIRE(down.pictures.size() == 1);
  CHECK(down.pictures[0].id == "down");
  const auto none = score_faithfulness(Bright{}, set.subset({0}), Itself{}, options).scores();
  CHECK(none.images == 0);
  CHECK(none.reasons == std::vector<std::string>{"all pictures: none has the class that was asked for"});
  options = by_hand;
  options.explains = metrics::Explains::label;
  const auto by_label = score_faithfulness(Bright{}, set, Itself{}, options);
  CHECK(by_label.pictures[0].explained == 0);
  CHECK(by_label.pictures[0].agrees.lif.front() == 0);  // the net says yes
  CHECK(by_label.column("sufficiency")[0] == Approx(sigma(-1) - sigma(.5)));
  options.top = 2;
  CHECK(score_faithfulness(Bright{}, set, Itself{}, options).pictures[0].agrees.lif.front() == 1);

  const support::Folder folder("faithfulness");
  save_pictures(folder.path / "p.csv", scored);
  const io::Csv table = io::Csv::read(folder.path / "p.csv");
  CHECK(table.size() == 3);
  CHECK(table.number(0, "srg") == scored.column("SRG")[0]);
  CHECK(table.at(1, "srg").empty());
  CHECK(table.at(1, "undefined") == "the map is the same everywhere");
}

TEST_CASE("superpixels: each picture has its own units, and what looks alike goes together") {
  std::vector<float> values;  // one bright part in the corner that explains all; then the same, smaller
  for (const int side : {7, 5})
    for (int i = 0; i < 144; ++i) values.push_back(i / 12 < side && i % 12 < side ? 4.f : .1f);
  auto options = metrics::preset::pixel_flipping();
  options.explains = metrics::Explains::predicted;
  options.superpixels = 6;
  options.compactness = .1;
  const auto set = dataset(values, 12, 12, 1, 2);
  const auto scored = score_faithfulness(Bright{}, set, Itself{}, options);
  REQUIRE(scored.measures.size() == 4);
  for (Index i = 0; i < 2; ++i) {
    const auto& picture = scored.pictures[static_cast<std::size_t>(i)];
    const auto units = metrics::superpixels(set[i].image, 6, .1);
    const auto first = static_cast<double>(std::count(units.of.begin(), units.of.end(), units.of[0]));
    CHECK(picture.taken.mif.at(1) == Approx(first / 144));  // the corner's unit goes first
    CHECK(score_faithfulness(Bright{}, set.subset({i}), Itself{}, options).pictures[0].values == picture.values);
    CHECK(picture.values[0] > .3);
  }
}

TEST_CASE("what is refused") {
  const data::Dataset set{{sample("x", 1, {1, .75f, .5f, .25f})}, {"no", "yes"}};
  const auto refusal = [&](const FaithfulnessOptions& options) {
    return message_of([&] { (void)score_faithfulness(Bright{}, set, Itself{}, options); });
  };
  CHECK(refusal({.only = 2}) == "faithfulness: only 2, expected -1 to 1");
  CHECK(refusal({.retention = {.5}, .superpixels = 2}) ==
        "faithfulness: superpixels go with neither retention nor patch");
  CHECK(refusal({.fill = {.with = metrics::FillWith::blur, .kernel = 4}}) ==
        "blur: kernel 4, sigma 5, expected an odd kernel and sigma above 0");
  CHECK(message_of([&] { (void)score_faithfulness(Bright{}, data::Dataset{}, Itself{}); }) ==
        "faithfulness: the data set is empty");
  Bright broken;
  broken.gain.value().fill(NAN);
  CHECK(message_of([&] { (void)score_faithfulness(broken, set, Itself{}); }) ==
        "faithfulness: the network gives a perturbed picture the probability nan");
}

TEST_CASE("fills: a constant, the mean of each channel, RISE's blur") {
  const Index n = 5, h = 6, w = 7, c = 2;
  const Tensor<Cpu> images(Shape{n, h, w, c}, std::span<const float>(testing::faithful_images));
  const auto weights = detail::blur_weights(11, 5);
  for (std::size_t i = 0; i < 11; ++i) CHECK(weights[i] == Approx(testing::rise_kernel_middle[i]).epsilon(1e-12));
  const Tensor<Cpu> rise = filled(images, metrics::preset::rise().insert_from);
  for (Index i = 0; i < rise.size(); ++i)
    REQUIRE(rise.data()[i] == Approx(testing::faithful_blurred[static_cast<std::size_t>(i)]).epsilon(1e-6));
  const Tensor<Cpu> grey = filled(Tensor<Cpu>(Shape{1, 3, 3, 1}, .5f), {.with = metrics::FillWith::blur});
  for (const float v : grey.span()) CHECK(v == Approx(.5));  // without what lies outside
  const Tensor<Cpu> mean = filled(Tensor<Cpu>(Shape{1, 1, 2, 2}, {1, 10, 2, 20}), {.with = metrics::FillWith::mean});
  CHECK(std::vector<float>(mean.data(), mean.data() + 4) == std::vector<float>{1.5f, 15, 1.5f, 15});
  const Tensor<Cpu> black = filled(images, {.value = -2});
  CHECK(black.data()[17] == -2);
}

TEST_CASE("in reports and studies") {
  const data::Dataset set{{sample("a|b", 1, {1, .75f, .5f, .25f}), sample("flat", 1, {.9f, .9f, .9f, .9f})},
                          {"no", "yes"}};
  const auto scores = evaluate(Bright{}, set, metrics::Classification{}, metrics::Faithfulness{Itself{}}.with(by_hand));
  const std::string table = report::markdown(scores);
  CHECK(table.find("| explainer | keep 50% | keep 75% | SRG |") != std::string::npos);
  CHECK(table.find("| itself | 0.000 \u00b1 \u2013 | 1.000 \u00b1 \u2013 | 0.250 \u00b1 \u2013 |") !=
        std::string::npos);
  const auto json = nlohmann::json::parse(report::metrics_json(scores));
  CHECK(json["faithfulness"]["itself"]["srg"] == .25);
  CHECK(json["faithfulness"]["itself"]["keep_50_std"].is_null());
  CHECK(json["faithfulness"]["itself"]["undefined"] == 1);
  const support::Folder folder("faithful_report");
  report::html(folder.path, {}, scores, {});
  const std::string page = io::read_text(folder.path / "report.html");
  CHECK(page.find("<th>SRG</th>") != std::string::npos);
  CHECK(page.find("itself, not defined for 1 of 2 pictures: the map is the same everywhere.") != std::string::npos);
  CHECK(page.find("share of the picture taken away") != std::string::npos);
  const StudyRun run{.settings = {}, .values = study_values(scores.faithfulness[0]), .folder = {}};
  CHECK(run.value("srg") == Approx(.25));
  CHECK(page.find("of which DS is made") == std::string::npos);
  const auto degraded = score_faithfulness(Bright{}, set, Itself{}, metrics::preset::degradation());
  auto with_ds = scores;
  with_ds.faithfulness = {degraded.scores()};
  report::html(folder.path, {}, with_ds, {});
  CHECK(io::read_text(folder.path / "report.html").find("of which DS is made") != std::string::npos);
  save_pictures(folder.path / "ds.csv", degraded);
  const io::Csv saved = io::Csv::read(folder.path / "ds.csv");
  CHECK(saved.number(0, "lerf_0") == Approx(sigma(1)));
  CHECK(saved.number(0, "morf_10") == Approx(degraded.pictures[0].degradation.mif[10]));
  CHECK(std::isnan(saved.number(1, "lerf_3")));  // the flat one
  CHECK(run.value("undefined_maps") == 1);
}

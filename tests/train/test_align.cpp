// train::align: what stays as it is while the other one learns, the course of the turns, going on, refusals.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "limn/evaluate/evaluate.hpp"
#include "limn/explain/masker.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/train/align.hpp"
#include "tiny.hpp"

using namespace tiny;
using support::message;

namespace {

using Cam = GradCam<"stem">;
using Masker = models::Masker<Cpu, 1, 2>;

const data::Dataset& training() {
  static const data::Dataset data = pictures(24, "t");
  return data;
}
const data::Dataset& validation() {
  static const data::Dataset data = pictures(12, "v");
  return data;
}

/// Parameters, running statistics and counters.
template <class N>
std::map<std::string, std::vector<std::byte>> bits(const N& net) {
  std::map<std::string, std::vector<std::byte>> out;
  for (const auto& [name, entry] : weights_of(leaves(net)).tensors) out[name] = entry.bytes;
  return out;
}

train::AlignOptions options(const std::filesystem::path& out = "", Index rounds = 2) {
  train::AlignOptions o{.warm_up = 2, .rounds = rounds, .masker_epochs = 1};
  o.each = {.batch = 8, .out = out.string(), .seed = Seed{11}, .augment = {.flip = true}, .quiet = true};
  return o;
}

/// A column of a record of training.
std::vector<double> column(const train::Fit& fit, const std::string& name) {
  const auto& columns = fit.history.columns;
  const auto k = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  REQUIRE(k < columns.size());
  std::vector<double> out;
  for (const auto& row : fit.history.rows) out.push_back(row[k]);
  return out;
}

train::AlignFit run(Net& net, Masker& masker, const train::AlignOptions& o) {
  return train::align(net, masker, align_losses<Cam>(masker), Adam{{.lr = .01}}, training(), validation(), o);
}

}  // namespace

TEST_CASE("while one learns nothing of the other changes, to the bit") {
  Net net;
  Masker masker{Seed{2}};
  const auto losses = align_losses<Cam>(masker);
  const train::FitOptions o{.epochs = 2, .batch = 8, .restore_best = false, .quiet = true};
  const auto net_before = bits(net), masker_before = bits(masker);

  models::Masked<Net, Masker> behind(net, masker);
  (void)train::fit(behind, losses.masker, Adam{{.lr = .01}}, training(), validation(), o);
  CHECK(bits(net) == net_before);  // the batch norm's running statistics among them
  CHECK(net_before.count("stem.bn.running_mean") == 1);
  CHECK(bits(masker) == masker_before);
  const auto learned = bits(behind.masker);
  for (const auto& [name, bytes] : learned) {
    CAPTURE(name);
    CHECK(bytes != masker_before.at(name));
  }

  (void)train::fit(net, losses.classifier + losses.guidance, Adam{{.lr = .01}}, training(), validation(), o);
  CHECK(bits(masker) == masker_before);
  const auto net_after = bits(net);
  for (const auto& [name, bytes] : net_before) {
    CAPTURE(name);
    CHECK(bytes != net_after.at(name));
  }
}

TEST_CASE("the classifier has one training, before whose epochs the masker has its turns") {
  Net net, by_hand;
  Masker masker{Seed{2}}, its_masker{Seed{2}};
  auto o = options();
  o.classifier_epochs = 2;
  const auto done = run(net, masker, o);
  CHECK(done.classifier.ending == train::Ending::epochs);
  CHECK(done.seconds() > 0);
  REQUIRE(done.masker.size() == 2);
  CHECK(column(done.masker[0], "mask_evidence").size() == 1);
  const auto guidance = column(done.classifier, "bce");
  REQUIRE(guidance.size() == 6);
  CHECK(guidance[0] + guidance[1] == 0);
  CHECK(guidance[2] > 0);

  const auto losses = align_losses<Cam>(its_masker);
  const Adam adam{{.lr = .01}};
  train::FitOptions whole = o.each, turn = o.each;
  whole.epochs = 6;
  whole.restore_best = turn.restore_best = false;
  turn.epochs = 1;
  turn.schedule = {};
  whole.before_epoch = [&](Index epoch) {
    if (epoch != 3 && epoch != 5) return true;
    models::Masked<Net, Masker> behind(by_hand, its_masker);
    turn.seed = Seed{mix(11, epoch == 3 ? 1 : 2)};
    (void)train::fit(behind, losses.masker, adam, training(), validation(), turn);
    its_masker = behind.masker;
    return true;
  };
  (void)train::fit(by_hand, losses.classifier + later(2. / 6, losses.guidance), adam, training(), validation(), whole);
  check_same_bits(net, by_hand);
  CHECK(bits(masker) == bits(its_masker));
}

TEST_CASE("a masker that guides nothing changes nothing of the classifier") {
  Net net, plain;
  Masker masker{Seed{2}};
  const auto losses = align_losses<Cam>(masker, {.guidance = 0});
  const Adam adam{{.lr = .01}};
  auto o = options();
  o.each.schedule = Cosine{};
  o.each.patience = 1;  // does not count
  (void)train::align(net, masker, losses, adam, training(), validation(), o);
  o.each.epochs = 4;
  o.each.patience = 0;
  o.each.restore_best = false;
  (void)train::fit(plain, losses.classifier, adam, training(), validation(), o.each);
  check_same_bits(net, plain);
}

TEST_CASE("a masker that does not fit is refused before the classifier is trained") {
  Net net;
  Sequential<Conv2d<Cpu, 1, 1, 3, 2, 1>, Sigmoid<Cpu>> halves;
  auto o = options();
  o.each.on_epoch = [](const train::EpochRecord&) { FAIL("an epoch was trained"); };
  CHECK(message<ShapeError>([&] {
          (void)train::align(net, halves, align_losses<Cam>(halves), Adam{}, training(), validation(), o);
        }) == "masker: a mask of (1, 4, 4, 1) for pictures (1, 8, 8, 1), expected (1, 8, 8, 1)");
}

TEST_CASE("stopped in any turn, it goes on with the same bits; more rounds can follow") {
  const support::Folder folder("align");
  Net whole;
  Masker its_masker{Seed{2}};
  (void)run(whole, its_masker, options());
  for (const Index stop : {1, 3, 4, 6}) {  // in which epoch of them all
    CAPTURE(stop);
    auto o = options(folder.path / text("a", stop));
    Index epochs = 0;
    o.each.progress.step = [&](const train::StepRecord& s) {
      if (epochs == stop - 1 && s.batch == 2) std::raise(SIGINT);
    };
    o.each.on_epoch = [&](const train::EpochRecord&) { ++epochs; };
    Net net;
    Masker masker{Seed{2}};
    const auto before = std::signal(SIGINT, SIG_DFL);
    const auto stopped = run(net, masker, o);
    std::signal(SIGINT, before);
    CHECK(stopped.classifier.ending == train::Ending::interrupted);

    o.each.progress.step = nullptr;
    o.each.resume = true;
    Net rest{Seed{5}};
    Masker its_rest{Seed{stop == 1 ? 2u : 6u}};  // had not begun, or is read
    CHECK(run(rest, its_rest, o).classifier.ending == train::Ending::epochs);
    check_same_bits(whole, rest);
    CHECK(bits(its_masker) == bits(its_rest));
  }
  auto o = options(folder.path / "a1", 3);
  o.each.resume = true;
  Net more, at_once;
  Masker a, b{Seed{2}};
  CHECK(run(more, a, o).masker.size() == 3);
  (void)run(at_once, b, options("", 3));
  check_same_bits(more, at_once);
}

TEST_CASE("stopped before the classifier's first epoch, by a signal or by the time limit") {
  const support::Folder folder("align_first");
  Net whole;
  Masker its_masker{Seed{2}};
  auto plain = options();
  plain.warm_up = 0;
  (void)run(whole, its_masker, plain);
  for (const bool signal : {true, false}) {
    CAPTURE(signal);
    auto o = options(folder.path / text("a", signal));
    o.warm_up = 0;
    o.each.max_minutes = signal ? 0 : .001;
    o.each.progress.step = [&](const train::StepRecord&) {
      signal ? (void)std::raise(SIGINT) : std::this_thread::sleep_for(std::chrono::milliseconds(70));
    };
    Net net;
    Masker masker{Seed{2}};
    const auto before = std::signal(SIGINT, SIG_DFL);
    const auto stopped = run(net, masker, o);
    std::signal(SIGINT, before);
    const auto why = signal ? train::Ending::interrupted : train::Ending::time_limit;
    CHECK(stopped.classifier.ending == why);
    CHECK(stopped.classifier.history.rows.empty());
    REQUIRE(stopped.masker.size() == 1);
    CHECK(stopped.masker[0].ending == why);

    o.each.progress.step = nullptr;
    o.each.max_minutes = 0;
    o.each.resume = true;
    Net rest{Seed{5}};
    Masker its_rest{Seed{2}};
    CHECK(run(rest, its_rest, o).classifier.ending == train::Ending::epochs);
    check_same_bits(whole, rest);
    CHECK(bits(its_masker) == bits(its_rest));
  }
}

TEST_CASE("the masker finds the evidence, of which nobody told it") {
  // Dim noise, and somewhere a patch of stripes, upright or level: that is the class.
  const auto patches = [](Index count, const std::string& name) {
    std::vector<data::Sample> samples;
    for (Index i = 0; i < count; ++i) {
      Random random(Seed{8}, name, i);
      data::Sample sample{text(name, i), "", i % 2, data::Image(data::Image::shape_type{16, 16, 1}), {}};
      for (float& v : sample.image) v = static_cast<float>(.2 * random.uniform());
      sample.mask = data::Mask(data::Mask::shape_type{16, 16}, 0.f);
      const auto top = static_cast<std::size_t>(random.below(11)), left = static_cast<std::size_t>(random.below(11));
      for (std::size_t y = top; y < top + 5; ++y)
        for (std::size_t x = left; x < left + 5; ++x) {
          sample.image(y, x, 0) = (sample.label == 1 ? x : y) % 2 == 0 ? 1.f : 0.f;
          (*sample.mask)(y, x) = 1;
        }
      samples.push_back(std::move(sample));
    }
    return data::Dataset(std::move(samples), {"level", "upright"});
  };
  const auto train = patches(160, "t"), val = patches(40, "v");
  Net net;
  models::Masker<Cpu, 1, 4> masker{Seed{2}};
  train::AlignOptions o{.warm_up = 8, .rounds = 3, .masker_epochs = 4};
  o.each = {.batch = 16, .quiet = true};
  (void)train::align(net, masker, align_losses<Cam>(masker, {.area = 1}), Adam{{.lr = .01}}, train, val, o);
  const auto scores = evaluate(net, val, metrics::Classification{}, metrics::Localisation{explain::MaskOf{masker}});
  const double inside = scores.localisation.front().rma;
  MESSAGE("accuracy ", scores.classification.accuracy, "; of the mask ", inside, " inside the patch, which is ",
          val.mask_fraction(), " of the picture");
  CHECK(scores.classification.accuracy > .9);
  CHECK(inside > 3 * val.mask_fraction());
}

TEST_CASE("an earlier run in the folder is replaced, another one is not gone on with") {
  const support::Folder folder("align_again");
  Net net;
  Masker masker{Seed{2}};
  (void)run(net, masker, options(folder.path, 2));
  auto fewer = options(folder.path, 1);
  (void)run(net, masker, fewer);
  CHECK(std::filesystem::exists(folder.path / "masker_1" / "last.safetensors"));
  CHECK_FALSE(std::filesystem::exists(folder.path / "masker_2" / "last.safetensors"));
  auto other = fewer;
  other.each.resume = true;
  other.masker_epochs = 2;
  CHECK(support::holds(message<OptionError>([&] { (void)run(net, masker, other); }),
                       "is of another run: warm_up 2, masker_epochs 1, classifier_epochs 1\nand now warm_up 2, "
                       "masker_epochs 2"));
}

TEST_CASE("options out of range") {
  Net net;
  Masker masker;
  const auto refused = [&](const train::AlignOptions& o) {
    return message<OptionError>([&] { (void)run(net, masker, o); });
  };
  auto o = options();
  o.rounds = -1;
  CHECK(refused(o) == "align: rounds must be 0 to 1000000, got -1");
  o = options();
  o.masker_epochs = 0;
  CHECK(refused(o) == "align: masker_epochs must be 1 to 1000000, got 0");
  o = options();
  o.warm_up = o.rounds = 0;
  CHECK(refused(o) == "align: neither warm_up nor rounds: nothing to do");
  o = options();
  o.each.resume = true;
  CHECK(refused(o) == "align: resume needs the folder of the run (out)");
}

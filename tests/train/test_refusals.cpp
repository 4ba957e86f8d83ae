// What a run refuses before its first step, and how it says that a number is not finite.
#include "tiny.hpp"

using namespace tiny;
using support::message;

namespace {

struct Broken {
  static constexpr const char* name = "broken";
  Var<Cpu> operator()(const Step<Cpu>& step) const { return mean(step.logits) * INFINITY; }
};

}  // namespace

TEST_CASE("a number that is not finite stops the run and names where it came from") {
  const support::Folder folder("fit_nan");
  const auto data = pictures(6, "t");
  Net net;
  train::FitOptions options{.epochs = 3, .batch = 12, .out = folder.path, .quiet = true};
  options.on_epoch = [&](const train::EpochRecord&) { net.stem.conv.weight.value().fill(NAN); };
  const std::string said = message<Error>([&] { train::fit(net, CrossEntropy{}, Adam{}, data, data, options); });
  CAPTURE(said);
  CHECK(said.find(" in epoch 2, batch 1: at stem.conv: the output is not finite: element 0 of (8, 8, 8, 4) is") !=
        std::string::npos);
  CHECK(said.find("; the batch is t") != std::string::npos);
  for (const char* id : {"t0", "t1", "t2", "t3", "t4", "t5"}) CHECK(said.find(id) != std::string::npos);
  Net kept;
  load_weights(kept, folder.path / "last.safetensors");
  CHECK(std::isfinite(kept.stem.conv.weight.value()(0, 0, 0, 0)));

  Net huge;  // finite weights and outputs, a loss that is not
  huge.fc.weight.value().fill(0);
  const auto spoilt = message<Error>(
      [&] { train::fit(huge, CrossEntropy{} + Broken{}, Adam{}, data, data, {.batch = 12, .quiet = true}); });
  CAPTURE(spoilt);
  CHECK(spoilt.find("in epoch 1, batch 1: the network's output is finite; the batch is") != std::string::npos);

  auto samples = std::vector<data::Sample>{data[0], data[1], data[2], data[3]};
  samples[2].image(3, 3, 0) = NAN;
  const data::Dataset broken(samples, data.class_names());
  CHECK(message<Error>([&] {
          Net n;
          train::fit(n, CrossEntropy{}, Adam{}, broken, data, {.batch = 12, .quiet = true});
        }).find("the picture t2 has a value that is not finite") != std::string::npos);
}

TEST_CASE("what cannot work is refused before the first step") {
  const support::Folder folder("fit_refused");
  const auto data = pictures(6, "t");
  const auto refused = [&](const data::Dataset& train, const data::Dataset& val, train::FitOptions options) {
    Net net;
    const Net before = net;
    options.quiet = true;
    options.on_epoch = [](const train::EpochRecord&) { FAIL("an epoch was trained"); };
    const std::string out = message<Error>([&] { train::fit(net, CrossEntropy{}, Adam{}, train, val, options); });
    check_same_bits(net, before);
    return out;
  };
  CHECK(refused(data, data, {.epochs = 0}) == "fit: epochs must be 1 to 1000000, got 0");
  CHECK(refused(data, data, {.batch = 1}) == "fit: batch normalisation needs batches of 2 or more, got batch = 1");
  CHECK(refused(data, data, {.choose_after = 1}) == "fit: choose_after must be 0 to less than 1, got 1");
  CHECK(refused(data, data, {.monitor = "auc"}) ==
        "fit: monitor must be val_auc, val_accuracy, val_loss, val_total or loss, got \"auc\"");
  CHECK(refused(data, data, {.resume = true}) == "fit: resume needs the folder of the run (out)");
  CHECK(refused(data.subset({}), data, {}) == "fit: the training set is empty");
  CHECK(refused(data, data.subset({}), {}) == "fit: the validation set is empty");
  CHECK(refused(data.subset({1, 2}), data, {}) == "fit: the training set has no sample of class \"stripes\"");
  CHECK(refused(data, data.subset({1, 2}), {}) ==
        "fit: val_auc needs samples of two classes in the validation set; use another monitor");
  CHECK(refused(data, pictures(6, "v", 9), {}) ==
        "fit: training pictures are (8, 8, 1), validation pictures (9, 9, 1)");
  CHECK(refused(data, data, {.schedule = StepDecay{.every = 0}}) == "StepDecay: every must be at least 1, got 0");
  Net net;
  CHECK(support::message<OptionError>([&] {
          (void)train::fit(net, CrossEntropy{}, Sgd{{}, {{.prefix = "fc", .schedule = StepDecay{.factor = 0}}}}, data,
                           data);
        }) == "StepDecay: factor must be above 0 and at most 1, got 0");
  const data::Dataset three({data[0], data[1]}, {"a", "b", "c"});
  CHECK(refused(three, three, {}) == "fit: the network tells 2 classes apart, the training set has 3");
  auto wide = data[0];
  wide.image = xt::xtensor<float, 3>::from_shape({8, 8, 3});
  const data::Dataset colour({wide}, {"a", "b"});
  CHECK(refused(colour, colour, {}) == "fit: the network takes pictures of 1 channels, the training set has 3");
  io::write_file_atomically(folder.path / "file", "x");
  CHECK(refused(data, data, {.out = folder.path / "file"}).find("cannot be made (") != std::string::npos);
  CHECK(message<OptionError>([&] {
          Net net;
          train::fit(net, CrossEntropy{}, Adam{{}, {{.prefix = "sten", .frozen = true}}}, data, data, {});
        }) == "parameter group \"sten\": no parameter lies there; the network has stem, fc");
}

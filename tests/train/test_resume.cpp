// A run that was stopped, in any way, goes on with the same bits as if it had not been.
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tiny.hpp"

using namespace tiny;
using support::message;

namespace {

const data::Dataset& training() {
  static const data::Dataset data = pictures(30, "t");
  return data;
}
const data::Dataset& validation() {
  static const data::Dataset data = pictures(12, "v");
  return data;
}

train::FitOptions options(const std::filesystem::path& out, Index epochs = 4) {
  train::FitOptions o;
  o.epochs = epochs;
  o.batch = 8;
  o.out = out.string();
  o.seed = Seed{11};
  o.augment = {.flip = true, .rotate_degrees = 10, .noise = .02f};
  o.schedule = StepDecay{.every = 2, .factor = .5};
  o.monitor = "val_loss";
  o.quiet = true;
  return o;
}

train::Fit run(Net& net, const train::FitOptions& o) {
  return train::fit(net, CrossEntropy{}, Adam{{.lr = .02, .weight_decay = 1e-4}}, training(), validation(), o);
}

/// Lines of metrics.jsonl without what a clock says.
std::vector<std::string> metric_lines(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  std::ifstream in(folder / "metrics.jsonl");
  for (std::string line; std::getline(in, line);) {
    auto values = nlohmann::json::parse(line);
    values.erase("seconds");
    values.erase("images_per_second");
    out.push_back(values.dump());
  }
  return out;
}

void check_same_run(const std::filesystem::path& a, const std::filesystem::path& b) {
  for (const char* name : {"last.safetensors", "best.safetensors"}) {
    const auto left = io::read_safetensors(a / name), right = io::read_safetensors(b / name);
    REQUIRE(left.tensors.size() == right.tensors.size());
    for (const auto& [tensor, entry] : left.tensors) {  // the optimiser's among them
      CAPTURE(name);
      CAPTURE(tensor);
      CHECK(entry.bytes == right.at(tensor).bytes);
    }
  }
  CHECK(metric_lines(a) == metric_lines(b));
}

}  // namespace

TEST_CASE("4 epochs at once, and 2 and then 2 more") {
  const support::Folder folder("resume_plain");
  Net whole, part, rest{Seed{77}};
  const auto all = run(whole, options(folder.path / "a"));
  const auto first = run(part, options(folder.path / "b", 2));
  CHECK(first.history.rows.size() == 2);
  auto more = options(folder.path / "b");
  more.resume = true;
  const auto second = run(rest, more);
  CHECK(second.history.rows.size() == 4);
  CHECK(second.best_epoch == all.best_epoch);
  CHECK(second.best_value == all.best_value);
  CHECK(second.seconds > first.seconds);
  check_same_bits(whole, rest);
  check_same_run(folder.path / "a", folder.path / "b");
  CHECK(metric_lines(folder.path / "a").size() == 4);

  Net again;  // there is nothing left to do
  const auto done = run(again, more);
  CHECK(done.history.rows.size() == 4);
  check_same_bits(whole, again);
}

TEST_CASE("an exception from outside, and files that a killed process left half done") {
  const support::Folder folder("resume_torn");
  Net whole;
  run(whole, options(folder.path / "a"));
  const auto b = folder.path / "b";
  auto o = options(b);
  o.on_epoch = [](const train::EpochRecord& r) {
    if (r.epoch == 1) throw std::runtime_error("out of luck");
  };
  Net net;
  CHECK_THROWS_WITH(run(net, o), "out of luck");
  io::write_file_atomically(b / "last.safetensors.123.0.tmp", "half a checkp");
  io::write_file_atomically(b / "notes.tmp", "not ours");
  std::ofstream(b / "metrics.jsonl", std::ios::app) << "{\"epoch\":3,\"los";  // killed while it wrote
  std::filesystem::resize_file(b / "best.safetensors", 100);                  // killed before best was written
  o.on_epoch = nullptr;
  o.resume = true;
  Net rest{Seed{5}};
  run(rest, o);
  check_same_bits(whole, rest);
  check_same_run(folder.path / "a", b);
  CHECK_FALSE(std::filesystem::exists(b / "last.safetensors.123.0.tmp"));
  CHECK(std::filesystem::exists(b / "notes.tmp"));
}

TEST_CASE("Ctrl-C in the middle of an epoch") {
  const support::Folder folder("resume_signal");
  auto o = options(folder.path / "a");
  o.schedule = Cosine{.warmup_epochs = 1};
  Net whole;
  run(whole, o);
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const auto b = folder.path / text("b", signal);
    o.out = b.string();
    o.resume = false;
    const auto before = std::signal(signal, SIG_DFL);
    o.progress.step = [signal](const train::StepRecord& s) {
      if (s.epoch == 2 && s.batch == 3) std::raise(signal);
    };
    Net net;
    const auto stopped = run(net, o);
    CHECK(stopped.ending == train::Ending::interrupted);
    CHECK(stopped.history.rows.size() == 1);
    CHECK((std::signal(signal, before) == SIG_DFL));  // what was there before is there again
    const auto state = nlohmann::json::parse(*io::read_safetensors(b / "last.safetensors").find_text("training"));
    CHECK(state["batches"] == 3);
    o.progress.step = nullptr;
    o.resume = true;
    Net rest{Seed{5}};
    CHECK(run(rest, o).ending == train::Ending::epochs);
    check_same_bits(whole, rest);
    check_same_run(folder.path / "a", b);
  }
}

TEST_CASE("Ctrl-C twice ends the process; an ignored signal stays ignored") {
  const pid_t child = ::fork();
  if (child == 0) {
    set_threads(1);  // a forked process has no other threads
    std::signal(SIGINT, SIG_DFL);
    auto o = options("");
    o.progress.step = [](const train::StepRecord&) {
      std::raise(SIGINT);
      std::raise(SIGINT);
    };
    Net net;
    run(net, o);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);

  const auto before = std::signal(SIGTERM, SIG_IGN);
  auto o = options("", 1);
  o.progress.step = [](const train::StepRecord&) { std::raise(SIGTERM); };
  Net net;
  CHECK(run(net, o).ending == train::Ending::epochs);
  CHECK((std::signal(SIGTERM, before) == SIG_IGN));
}

TEST_CASE("another run is not gone on with; without resume it is replaced") {
  const support::Folder folder("resume_other");
  Net net;
  run(net, options(folder.path, 1));
  auto o = options(folder.path, 2);
  o.resume = true;
  o.batch = 10;
  o.seed = Seed{12};
  CHECK(message<OptionError>([&] { run(net, o); }) ==
        text("resume: ", (folder.path / "last.safetensors").string(),
             " is of another run:\n  seed: 11 there, 12 now\n  batch: 8 there, 10 now"));
  o = options(folder.path, 2);
  o.resume = true;
  const auto said = message<OptionError>(
      [&] { train::fit(net, 2.f * CrossEntropy{}, Sgd{{.lr = .02}}, validation(), validation(), o); });
  CAPTURE(said);
  CHECK(said.find("loss: cross_entropy there, 2 cross_entropy now") != std::string::npos);
  CHECK(said.find("optimiser: Adam lr 0.02") != std::string::npos);
  CHECK(said.find("training data: 30 samples of 8 x 8 x 1, ids ") != std::string::npos);
  CHECK(metric_lines(folder.path).size() == 1);  // still there

  o.resume = false;
  o.epochs = 1;
  run(net, o);
  CHECK(metric_lines(folder.path).size() == 1);

  save_weights(net, folder.path / "last.safetensors");
  o.resume = true;
  CHECK(message<FileError>([&] { run(net, o); }) ==
        (folder.path / "last.safetensors").string() + ": weights, but not a checkpoint of a training run");
}

// The loop: that labels stay hidden, what is asked for and when, that it goes on after every round with the same
// result, that a person can be asked, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "../io/support.hpp"
#include "limn/active/disagreement.hpp"
#include "limn/active/file_oracle.hpp"
#include "limn/active/loop.hpp"
#include "limn/active/misalignment.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/evaluate/prototypes.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/models/prototypical.hpp"
#include "limn/nn/sequential.hpp"
#include "pools.hpp"

using namespace limn;
using support::Folder, support::holds;
using testing::message_of;

namespace {

/// Trained in a moment: prototypes of random features. What it says depends on all labels that it was given.
using Net = models::Prototypical<Sequential<Conv2d<Cpu, 1, 6, 5, 2, 2>, Relu<Cpu>>, 2, 8>;
using Cam = explain::GradCam<"features">;

const data::Dataset& known() {
  static const data::Dataset data = data::phantoms({.count = 60, .size = 16, .seed = 3});
  return data;
}
std::vector<std::string> start() { return active::balanced_start(known(), 8, Seed{1}); }

Net train(const data::Dataset& labelled) {
  Net net{Seed{5}};
  set_prototypes(net, labelled);
  return net;
}
StudyValues measure(const Net& net, const data::Dataset& left) {
  double sum = 0;
  for (const float v : net.prototypes.value().span()) sum += static_cast<double>(v);
  return {{"sum", sum}, {"left", static_cast<double>(left.size())}};
}
auto score() { return .3f * acquire::Entropy{} + .7f * acquire::Misalignment<Cam>{}; }

template <class O, class A>
active::History run(O& oracle, const A& how, active::Options options = {}, const data::Dataset& of = known()) {
  options.rounds = 3;
  options.per_round = 5;
  return active::run(active::Pool(of), oracle, start(), how, train, measure, options);
}
template <class O>
active::History run(O& oracle, active::Options options = {}) {
  return run(oracle, score(), std::move(options));
}
std::vector<std::string> ids_of(const active::History& history) {
  std::vector<std::string> out;
  for (const auto& pick : history.picks) out.push_back(pick.id);
  return out;
}

/// Counts what it is asked, and refuses what was asked before.
struct Strict {
  active::LabelTable table{known()};
  std::set<std::string> asked = {};
  std::vector<std::size_t> calls = {};
  active::Answers operator()(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) require(asked.insert(id).second, id, " is asked for twice");
    calls.push_back(ids.size());
    return table(ids);
  }
};

/// Chooses as the score does, and notes what it chose; ids of the pool are numbers.
struct Noted {
  static constexpr const char* name = "noted";
  std::set<std::string>* chosen;
  template <class N>
  acquire::Chosen operator()(const N& net, const data::Dataset& pool, const data::Dataset& labelled,
                             Index count) const {
    for (const data::Dataset* seen : {&pool, &labelled})
      for (Index i = 0; i < seen->size(); ++i) CHECK((*seen)[i].label == 0);
    CHECK(pool.size() + labelled.size() == known().size());
    acquire::Chosen out = acquire::choose(score(), net, pool, labelled, count);
    for (const Index i : out.positions) chosen->insert(known()[std::stol(pool[i].id)].id);
    return out;
  }
};

/// Tells the labels of those alone that were chosen.
struct Only {
  active::LabelTable table{known()};
  std::set<std::string> chosen = {};
  active::Answers operator()(const std::vector<std::string>& ids) const {
    for (const std::string& id : ids) require(chosen.contains(id), id, " was not chosen");
    return table(ids);
  }
};

/// The same pictures, the labels of those that are not kept exchanged.
data::Dataset exchanged(const std::vector<std::string>& kept) {
  std::vector<data::Sample> samples;
  for (Index i = 0; i < known().size(); ++i) {
    samples.push_back(data::Sample(known()[i]));
    if (std::find(kept.begin(), kept.end(), known()[i].id) == kept.end()) samples.back().label = 1 - known()[i].label;
  }
  return {std::move(samples), known().class_names()};
}

}  // namespace

TEST_CASE("a pool holds no label, in no form") {
  std::vector<data::Sample> samples;
  for (Index i = 0; i < 4; ++i) samples.push_back(data::Sample(known()[i]));
  samples[0].id = "opacity/0.png";
  const data::Dataset named(std::move(samples), known().class_names(), {{"label", {"1", "0", "1", "0"}}});
  const active::Pool pool(named);
  const data::Dataset& seen = pool.pictures();
  for (Index i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].label == 0);
    CHECK(seen[i].id == text(i));
    CHECK(seen[i].group == text(i));
    CHECK(seen[i].image == named[i].image);
    CHECK(*seen[i].mask == *named[i].mask);
  }
  CHECK(message_of([&] { (void)seen.groups("label"); }) ==
        "split by \"label\": there is no such column; this data has none");
  CHECK(pool.id(0) == "opacity/0.png");
  CHECK(pool.find("opacity/0.png") == 0);
  const data::Dataset told = pool.labelled({2, 0}, {1, 0});
  CHECK(told[0].id == named[2].id);
  CHECK(told[0].group == named[2].group);
  CHECK(told[0].label == 1);
}

TEST_CASE("the oracle is asked for what was chosen, once, and for nothing else") {
  Strict strict;
  const active::History history = run(strict);
  CHECK(strict.calls == std::vector<std::size_t>{8, 5, 5, 5});
  CHECK(history.picks.size() == 23);
  CHECK(strict.asked.size() == 23);
  REQUIRE(history.rounds.size() == 4);
  CHECK(history.rounds[2].labels == 18);
  CHECK(history.rounds[2].value("left") == 42);
  CHECK(history.terms == std::vector<std::string>{"entropy", "misalignment"});
  CHECK(history.picks[8].round == 1);
  CHECK(history.picks[8].score == doctest::Approx(.3 * history.picks[8].terms[0] + .7 * history.picks[8].terms[1]));
  CHECK(history.waits_for.empty());

  Only only;
  for (const std::string& id : start()) only.chosen.insert(id);
  CHECK(ids_of(run(only, Noted{&only.chosen})) == ids_of(history));
}

TEST_CASE("labels that are hidden change nothing in what is chosen") {
  active::LabelTable table(known());
  const active::History history = run(table);
  const data::Dataset others = exchanged(ids_of(history));
  active::LabelTable other(others);
  const active::History again = run(other, score(), {}, others);  // the pool is made from them too
  CHECK(ids_of(again) == ids_of(history));
  for (std::size_t r = 0; r < 4; ++r) CHECK(again.rounds[r].values == history.rounds[r].values);
  // The test sees a difference: labels that were asked for matter.
  active::LabelTable wrong(exchanged({}));
  CHECK(run(wrong).rounds[0].values == history.rounds[0].values);  // both classes exchanged: the same sum
  const std::vector<std::string> first = start();
  active::LabelTable two(exchanged({first[1], first[2], first[3], first[5], first[6], first[7]}));
  CHECK(ids_of(run(two)) != ids_of(history));
}

TEST_CASE("a run that was stopped after any round goes on with the same result") {
  const Folder folder("active_resume");
  active::LabelTable table(known());
  const active::History whole = run(table, {.out = folder.path / "whole"});
  active::Options options{.out = folder.path / "parts", .resume = true};
  Strict strict;
  for (Index stop = 0; stop < 4; ++stop) {  // once in every round
    options.on_round = [stop](const active::Round& r) {
      if (r.round == stop) throw std::runtime_error("stopped");
    };
    CHECK(message_of([&] { (void)run(strict, options); }) == "stopped");
  }
  CHECK(strict.asked.size() == 23);  // answers are kept: nothing is asked twice
  options.on_round = {};
  const active::History parts = run(strict, options);
  CHECK(ids_of(parts) == ids_of(whole));
  for (const char* name : {"samples.csv", "rounds.csv", "settings.csv"})
    CHECK(io::read_text(folder.path / "parts" / name) == io::read_text(folder.path / "whole" / name));
  const io::Csv samples = io::Csv::read(folder.path / "whole/samples.csv");
  CHECK(samples.columns() == std::vector<std::string>{"round", "id", "label", "score", "entropy", "misalignment"});
  CHECK(samples.size() == 23);
  CHECK(samples.at(0, "score").empty());

  // Killed between the two files: the round is done again.
  const std::string rounds = io::read_text(folder.path / "parts/rounds.csv");
  io::write_file_atomically(folder.path / "parts/rounds.csv",
                            std::string_view(rounds).substr(0, rounds.rfind('\n', rounds.size() - 2) + 1));
  active::LabelTable again(known());
  CHECK(ids_of(run(again, options)) == ids_of(whole));
  CHECK(io::read_text(folder.path / "parts/rounds.csv") == rounds);

  CHECK(holds(support::message<OptionError>([&] { (void)run(again, acquire::Margin{}, options); }),
              "is of another run:\n  acquisition: 0.3 entropy + 0.7 misalignment there, margin now"));
  options.settings = {{"network", "another"}};
  CHECK(
      holds(support::message<OptionError>([&] { (void)run(again, options); }), "network: nothing there, another now"));
  options = {.out = folder.path / "parts"};  // without resume it begins anew
  CHECK(run(again, acquire::Margin{}, options).rounds.size() == 4);
}

TEST_CASE("a person fills in a table, or a Label Studio project, between the rounds") {
  const Folder folder("active_person");
  const std::filesystem::path labels = folder.path / "ask/labels.csv";
  active::FileOracle person(folder.path / "ask", known().class_names(), "/files/");
  const active::Options options{.out = folder.path / "run", .resume = true};
  const active::LabelTable table(known());
  const auto name_of = [&](const std::string& id) {
    return known().class_names()[static_cast<std::size_t>(*table({id})[0])];
  };

  active::History now = run(person, options);
  CHECK(now.rounds.empty());
  CHECK(holds(now.waits_for, "8 of 8 labels are missing: fill in the column label of "));
  CHECK(holds(now.waits_for, "labels.csv (clear, opacity), or import tasks.json in Label Studio"));
  const io::Json tasks = io::Json::parse(io::read_text(folder.path / "ask/tasks.json"), "tasks.json");
  REQUIRE(tasks.size() == 8);
  CHECK(tasks[0].at("data").at("image").as_text() == "/files/" + start()[0]);
  CHECK(holds(io::read_text(folder.path / "ask/label_config.xml"),
              "<Choices name=\"label\" toName=\"image\" choice=\"single\" required=\"true\">\n"
              "    <Choice value=\"clear\"/>\n    <Choice value=\"opacity\"/>\n"));

  // Half of them in the table; nothing that is there is lost.
  std::string table_text = "id,label\n";
  for (std::size_t i = 0; i < 8; ++i) table_text += start()[i] + "," + (i < 4 ? name_of(start()[i]) : "") + "\n";
  io::write_file_atomically(labels, table_text);
  now = run(person, options);
  CHECK(holds(now.waits_for, "4 of 8 labels are missing"));
  CHECK(io::read_text(labels) == table_text);

  // The other half in Label Studio.
  std::string exported;
  for (std::size_t i = 4; i < 8; ++i)
    exported += text(exported.empty() ? "[" : ",", R"({"data": {"id": ")", start()[i],
                     R"("}, "annotations": [{"was_cancelled": true, "result": []}, {"result": [{"type": "choices",)",
                     R"( "value": {"choices": [")", name_of(start()[i]), R"("]}}]}]})");
  io::write_file_atomically(folder.path / "ask/export.json", exported + "]");
  now = run(person, options);
  CHECK(now.rounds.size() == 1);
  CHECK(now.picks.size() == 13);
  CHECK(holds(now.waits_for, "5 of 5 labels are missing"));

  while (!now.waits_for.empty()) {
    const io::Csv open = io::Csv::read(labels);
    table_text = "id,label\n";
    for (Index row = 0; row < open.size(); ++row)
      table_text += open.at(row, "id") + "," + name_of(open.at(row, "id")) + "\n";
    io::write_file_atomically(labels, table_text);
    now = run(person, options);
  }
  active::LabelTable oracle(known());
  CHECK(ids_of(now) == ids_of(run(oracle)));

  const auto refused = [&](const std::string& content) {
    io::write_file_atomically(labels, content);
    return support::message<FileError>([&] { (void)person({"phantom1"}); });
  };
  CHECK(holds(refused("id,label\nphantom1,clouds\n"), "labels.csv:2: no class \"clouds\""));
  CHECK(holds(refused("id,label\nphantom1,\nphantom1,clear\n"), "labels.csv:3: \"phantom1\" is there twice"));
  CHECK(holds(refused(text("id,label\n", start()[5], ",", name_of(start()[5]) == "clear" ? "opacity" : "clear", "\n")),
              "in export.json"));
  // Annotations that were changed: the last one counts, wherever it stands.
  const auto task = [](const char* id, const char* first, const char* second) {
    return text(R"({"data": {"id": ")", id, R"("}, "annotations": [{"updated_at": "2026-02-01T08:00:00Z", "result": )",
                R"([{"value": {"choices": [")", first, R"("]}}]}, {"updated_at": "2026-01-01T08:00:00Z", "result": )",
                R"([{"value": {"choices": [")", second, R"("]}}]}]})");
  };
  io::write_file_atomically(labels, std::string_view("id,label\n"));
  io::write_file_atomically(folder.path / "ask/export.json", text("[", task("phantom1", "opacity", "clear"), "]"));
  CHECK(person({"phantom1"})[0] == 1);
  io::write_file_atomically(folder.path / "ask/export.json", text("[", task("phantom1", "opacity", "clear"), ",",
                                                                  task("phantom1", "clear", "clear"), "]"));
  CHECK(holds(refused("id,label\n"), "export.json, task 2: \"phantom1\" is clear, in a task before opacity"));
  io::write_file_atomically(folder.path / "ask/export.json", std::string_view("{}"));
  CHECK(holds(refused("id,label\n"), "export.json: expected an array of tasks"));
  io::write_file_atomically(folder.path / "ask/export.json", std::string_view("[{\"data\": {}}]"));
  CHECK(holds(refused("id,label\n"), "export.json, task 1: there is no \"id\""));
}

TEST_CASE("pictures of which nobody has told a label") {
  std::vector<data::Sample> samples;
  for (Index i = 0; i < 20; ++i) {
    samples.push_back(data::Sample(known()[i]));
    samples.back().label = 0;
  }
  const data::Dataset unknown(std::move(samples), {"unknown"});
  const active::Pool pool(unknown, known().class_names());
  CHECK(pool.class_names() == known().class_names());
  active::LabelTable oracle(known());
  const auto history = active::run(pool, oracle, active::random_start(unknown, 6, Seed{2}), acquire::Margin{}, train,
                                   measure, {.rounds = 1, .per_round = 2});
  CHECK(history.rounds.size() == 2);
}

TEST_CASE("what cannot work is refused before anything is trained") {
  active::LabelTable table(known());
  const active::Pool pool(known());
  const auto refused = [&](const std::vector<std::string>& first, const auto& how, const active::Options& options) {
    const auto never = [](const data::Dataset& labelled) {
      CHECK_MESSAGE(false, "trained");
      return train(labelled);
    };
    return support::message<OptionError>([&] { (void)active::run(pool, table, first, how, never, measure, options); });
  };
  const auto with = [&](const active::Options& options) { return refused(start(), score(), options); };
  CHECK(with({.rounds = -1}) == "active learning: rounds must be at least 0, got -1");
  CHECK(with({.per_round = 0}) == "active learning: per_round must be at least 1, got 0");
  CHECK(with({.resume = true}) == "active learning: resume needs the folder of the run");
  CHECK(with({}) == "active learning: 8 pictures and 7 x 60 more are 428, the pool has 60");
  CHECK(refused({}, score(), {.rounds = 0}) == "active learning: no pictures to begin with");
  CHECK(refused({"phantom1", "phantom1"}, score(), {.rounds = 0}) ==
        "active learning: \"phantom1\" is there twice to begin with");
  CHECK(refused({"nobody"}, score(), {.rounds = 0}) == "pool: no picture \"nobody\"");
  CHECK(refused(start(), acquire::Margin{} + acquire::Bald{.passes = 0}, {.rounds = 0}) ==
        "bald: passes must be at least 2, got 0");
}

TEST_CASE("pictures to begin with") {
  const auto ids = start();
  CHECK(ids.size() == 8);
  CHECK(ids == start());
  CHECK(ids != active::balanced_start(known(), 8, Seed{2}));
  const active::LabelTable table(known());
  Index ones = 0;
  for (const auto& label : table(ids)) ones += *label;
  CHECK(ones == 4);
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 8);
  CHECK(active::balanced_start(known(), 7, Seed{1}).size() == 7);
  CHECK(active::random_start(known(), 60, Seed{1}).size() == 60);
  CHECK(message_of([] { (void)active::random_start(known(), 61, Seed{1}); }) ==
        "random_start: expected 1 to 60 pictures, got 61");
  CHECK(message_of([] {
          (void)active::balanced_start(known().subset({0, 1}), 1, Seed{1});
        }) == "balanced_start: expected 2 to 2 pictures, got 1");
  CHECK(message_of([] {
          (void)active::balanced_start(known().filter([](const auto& s) { return s.label == 1 || s.id < "phantom2"; }),
                                       30, Seed{1});
        }).starts_with("balanced_start: 30 pictures want 15 of class \"clear\", there are "));
  CHECK(message_of([&] { (void)table({"nobody"}); }) == "oracle: no label of picture \"nobody\"");
}

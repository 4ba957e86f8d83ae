// What the studies of active learning try, ask about and are tested on.
#include <set>

#include "../io/support.hpp"
#include "active_learning/sets.hpp"
#include "people.hpp"

using namespace limn;

TEST_CASE("nobody whose picture can be asked for is tested on") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto sets = example::sets_of(people::pictures(60), {.seed = seed});
    people::check_apart({sets.known, sets.test});
    CHECK(sets.known.size() + sets.test.size() == 120);
    CHECK(sets.pool.size() == sets.known.size());
  }
}

TEST_CASE("budgets: a quarter of the pool, or the paper's") {
  const example::Budget small({}, 350), paper({.full = true}, 1148);
  CHECK(small.start + small.rounds * small.per_round == 85);
  CHECK(paper.start == 150);
  CHECK(paper.start + paper.rounds * paper.per_round == 570);
}

TEST_CASE("what is tried: every comparator of the paper, or every lambda") {
  const auto names = [](const example::RunOptions& options, Index classes) {
    std::multiset<std::string> out;
    for (const auto& setup : example::grid(options, classes)) out.insert(setup.strategy);
    return out;
  };
  const std::multiset<std::string> all{"random",       "entropy",  "margin", "least_confidence", "bald",
                                       "disagreement", "core_set", "badge",  "misalignment",     "eg_al"};
  CHECK(names({.study = "strategies", .full = true}, 2) == all);
  CHECK(names({.study = "strategies"}, 3) == all);
  CHECK(names({.study = "strategies"}, 2).size() == 8);
  CHECK(names({.study = "lambda"}, 2).count("eg_al") == 11);
  CHECK(names({.study = "prototypes"}, 2).count("bald") == 0);
}

TEST_CASE("what stood in a run before a round") {
  const support::Folder folder("active_before_round");
  const auto sets = example::sets_of(people::pictures(10), {});
  const std::string a = sets.pool.id(3), b = sets.pool.id(0), c = sets.pool.id(5);
  io::write_file_atomically(folder.path / "samples.csv",
                            "round,id,label,score\n0," + a + ",no,\n1," + b + ",yes,.5\n2," + c + ",no,.4\n");
  const auto first = example::before_round(folder.path, 1, sets.pool),
             last = example::before_round(folder.path, 2, sets.pool);
  CHECK(first.first == std::vector<Index>{3});
  CHECK(last.first == std::vector<Index>{3, 0});
  CHECK(static_cast<Index>(last.second.size()) == sets.pool.size() - 2);
  CHECK(last.second[0] == 1);
}

// What the studies of fused networks learn from and are tested on.
#include "fusion/training.hpp"
#include "people.hpp"

using namespace limn;

TEST_CASE("folds: nobody is on two sides, and five runs test everyone once") {
  const data::Dataset all = people::pictures(60);
  std::set<std::string> tested;
  for (Index run = 1; run <= 5; ++run) {
    const auto sets = example::sets_of(all, {}, run);
    people::check_apart({sets.train, sets.val, sets.test});
    CHECK(sets.train.size() + sets.val.size() + sets.test.size() == all.size());
    for (Index i = 0; i < sets.test.size(); ++i) CHECK(tested.insert(sets.test[i].id).second);
  }
  CHECK(static_cast<Index>(tested.size()) == all.size());
  // The sixth begins again, otherwise cut.
  const auto first = example::sets_of(all, {}, 1), sixth = example::sets_of(all, {}, 6);
  people::check_apart({sixth.train, sixth.val, sixth.test});
  bool other = false;
  for (Index i = 0; i < first.test.size(); ++i)
    other = other || i >= sixth.test.size() || first.test[i].id != sixth.test[i].id;
  CHECK(other);
}

TEST_CASE("fewer groups than five: as many parts as there are") {
  const data::Dataset all = people::pictures(4, 20);
  for (Index run = 1; run <= 4; ++run) {
    const auto sets = example::sets_of(all, {}, run);
    people::check_apart({sets.train, sets.val, sets.test});
    CHECK(sets.test.size() == 20);
  }
}

TEST_CASE("what people marked is tested on networks that do not know whose pictures they are") {
  const data::Dataset all = people::pictures(60);
  const data::Dataset marked = all.subset({0, 2, 4, 6});  // one picture each of four people
  const auto sets = example::sets_around(marked, all, {});
  people::check_apart({sets.train, sets.val, sets.test});
  CHECK(sets.train.size() + sets.val.size() == 2 * 56);
}

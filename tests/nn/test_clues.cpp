// Clue systems, their tables, and completeness (Eq. 2) worked out by hand.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/clues.hpp"

using namespace limn;

namespace {

/// Rows of clues as a string: "+-0".
template <auto Clues>
std::string rows() {
  std::string out;
  for (Index m = 0; m < Clues.clues; ++m) {
    for (Index y = 0; y < Clues.classes; ++y) {
      const int side = Clues.table().side(m, y);
      out += side > 0 ? '+' : side < 0 ? '-' : '0';
    }
    out += ' ';
  }
  return out;
}

constexpr bool complete(const ClueTable& table) {
  for (Index y = 0; y < table.classes; ++y)
    if (!lap::is_told_apart(table, y)) return false;
  return true;
}

}  // namespace

TEST_CASE("the tables of the usual systems") {
  CHECK(rows<lap::binary()>() == "-+ ");
  CHECK(rows<lap::binary(0)>() == "+- ");
  CHECK(rows<lap::one_vs_others<3>()>() == "+-- -+- --+ ");
  CHECK(rows<lap::one_vs_others<3, 0>()>() == "-+- --+ ");
  CHECK(rows<lap::one_vs_others<3, 1>()>() == "+-- --+ ");
  CHECK(rows<lap::one_vs_others<3, 2>()>() == "+-- -+- ");
  static_assert(lap::one_vs_others<3>().clues == 3 && lap::one_vs_others<4, 2>().clues == 3 &&
                lap::one_vs_others<4, 2>().classes == 4);
}

TEST_CASE("the usual systems are complete, with the background where it was put") {
  static_assert(lap::check_complete<lap::binary()>());
  static_assert(lap::check_complete<lap::binary(0)>());
  static_assert(lap::check_complete<lap::one_vs_others<10>()>());
  static_assert(lap::check_complete<lap::one_vs_others<10, 4>()>());
  CHECK(lap::is_background(lap::binary().table(), 0));
  CHECK(!lap::is_background(lap::binary().table(), 1));
  for (Index y = 0; y < 10; ++y) {
    static constexpr auto with = lap::one_vs_others<10, 4>();
    static constexpr auto without = lap::one_vs_others<10>();
    CHECK(lap::is_background(with.table(), y) == (y == 4));
    CHECK(!lap::is_background(without.table(), y));
  }
}

TEST_CASE("a user's table: two overlapping clues tell three classes apart") {
  // Clue 0 speaks for {0, 1}, clue 1 for {1, 2}. Class 1 is the only one in both; class 0 is in clue 0 only, whose
  // positive side also holds class 1: not told apart. The same for class 2.
  static constexpr ClueSystem<2, 3> two{{1, 1, -1,  //
                                         -1, 1, 1}};
  CHECK(!lap::is_told_apart(two.table(), 0));
  CHECK(lap::is_told_apart(two.table(), 1));
  CHECK(!lap::is_told_apart(two.table(), 2));

  // With clue 2 for {0, 2}, every class is in exactly two clues that share only this class: {0}: clues 0 and 2, ...
  static constexpr ClueSystem<3, 3> three{{1, 1, -1,  //
                                           -1, 1, 1,  //
                                           1, -1, 1}};
  static_assert(complete(three.table()));
  static_assert(lap::check_complete<three>());

  // Four classes by two clues, as binary digits: 0 is the background, 3 is in both, 1 and 2 are each in a clue that
  // also holds 3: incomplete. Excluding 3 from both makes it a second background, which is incomplete too.
  static constexpr ClueSystem<2, 4> digits{{-1, 1, -1, 1,  //
                                            -1, -1, 1, 1}};
  CHECK(lap::is_told_apart(digits.table(), 0));
  CHECK(!lap::is_told_apart(digits.table(), 1));
  CHECK(!lap::is_told_apart(digits.table(), 2));
  CHECK(lap::is_told_apart(digits.table(), 3));
  static constexpr ClueSystem<2, 4> two_backgrounds{{-1, 1, -1, -1,  //
                                                     -1, -1, 1, -1}};
  CHECK(!lap::is_told_apart(two_backgrounds.table(), 0));
  CHECK(lap::is_told_apart(two_backgrounds.table(), 1));
  CHECK(lap::is_told_apart(two_backgrounds.table(), 2));
  CHECK(!lap::is_told_apart(two_backgrounds.table(), 3));
}

TEST_CASE("a class on neither side of a clue is not spoken for by it") {
  static constexpr ClueSystem<1, 3> neither{{1, -1, 0}};
  CHECK(lap::is_told_apart(neither.table(), 0));
  CHECK(lap::is_background(neither.table(), 2));
  CHECK(!lap::is_told_apart(neither.table(), 1));  // 1 and 2 are both background
  CHECK(!lap::is_told_apart(neither.table(), 2));
}

TEST_CASE("one against the others of a thousand classes needs no table") {
  constexpr auto clues = lap::one_vs_others<1000, 7>();
  static_assert(lap::check_complete<clues>());
  static_assert(clues.clues == 999 && clues.classes == 1000);
  CHECK(clues.table().side(6, 6) == 1);
  CHECK(clues.table().side(7, 7) == -1);
  CHECK(clues.table().side(7, 8) == 1);
  CHECK(clues.table().side(998, 999) == 1);
  CHECK(lap::is_background(clues.table(), 7));
}

TEST_CASE("tables filled at run time: the error names the class") {
  ClueSystem<3, 3> table{{1, 1, -1,  //
                          -1, 1, 1,  //
                          1, -1, 1}};
  CHECK_NOTHROW(lap::require_complete(table));
  CHECK_NOTHROW(lap::require_complete(lap::binary()));
  CHECK_NOTHROW(lap::require_complete(lap::one_vs_others<5, 2>()));
  table.sides[8] = -1;  // clue 2 speaks for class 0 alone, so class 2 is in clue 1 only, as class 1 is
  CHECK(testing::message_of([&] { lap::require_complete(table); }) ==
        "clues: class 2 is not told from class 1: every clue that speaks for it speaks for both");
  table = {{1, -1, -1, 1, -1, -1, 1, 0, -1}};
  CHECK(testing::message_of([&] { lap::require_complete(table); }) ==
        "clues: class 1 is not told from class 2: no clue speaks for either, and only one can be the background");
  table = {{1, -1, -1, -1, 1, -1, 0, 0, 1}};
  CHECK(testing::message_of([&] { lap::require_complete(table); }) ==
        "clues: clue 2 needs a class that it speaks for and one against");
}

TEST_CASE("Eq. 2 as printed, by all subsets of clues, on every table of two clues and three classes") {
  // A class is told apart if it is the only background, or if the positive sides of some subset of clues have it alone
  // in common.
  Index complete_tables = 0;
  for (int code = 0; code < 729; ++code) {
    ClueSystem<2, 3> system;
    for (int i = 0, rest = code; i < 6; ++i, rest /= 3) system.sides[static_cast<std::size_t>(i)] = rest % 3 - 1;
    const ClueTable table = system.table();
    const auto positive = [&](int m, int y) { return system.sides[static_cast<std::size_t>(3 * m + y)] == 1; };
    bool all = true;
    for (int y = 0; y < 3; ++y) {
      const auto nothing_speaks_for = [&](int k) { return !positive(0, k) && !positive(1, k); };
      bool told = nothing_speaks_for(y);
      for (int other = 0; other < 3; ++other) told = told && (other == y || !nothing_speaks_for(other));
      for (int subset = 1; subset < 4; ++subset) {
        int common = 0, alone = -1;
        for (int k = 0; k < 3; ++k) {
          bool in = true;
          for (int m = 0; m < 2; ++m) in = in && (!(subset >> m & 1) || positive(m, k));
          common += in;
          if (in) alone = k;
        }
        told = told || (common == 1 && alone == y);
      }
      CHECK(lap::is_told_apart(table, y) == told);
      all = all && told;
    }
    complete_tables += all;
  }
  CHECK(complete_tables > 0);
}

// Distinguishing clues (section 2.1 of the paper): clue m tells the classes of its positive side from those of its
// negative side. A system of clues is complete if it tells every class from all others, but for at most one class that
// is known by the absence of clues, the background (Eq. 2).
#pragma once

#include <array>
#include <string>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"

namespace limn {

/// A table of clues by classes, wherever it is kept: +1 on the positive side, -1 on the negative side, 0 on neither.
/// Without numbers of its own it stands for a clue for every class but `background` against all others.
struct ClueTable {
  const int* sides = nullptr;
  Index clues = 0, classes = 0, background = -1;
  [[nodiscard]] constexpr int side(Index clue, Index of_class) const {
    if (sides != nullptr) return sides[clue * classes + of_class];
    return of_class == clue + (background >= 0 && clue >= background ? 1 : 0) ? 1 : -1;
  }
};

/// A table of your own, clue by clue. Known to the compiler it can be a template argument; one that is filled while the
/// program runs is for lap::attach.
template <int Clues, int Classes>
struct ClueSystem {
  static constexpr int clues = Clues, classes = Classes;
  std::array<int, static_cast<std::size_t>(Clues* Classes)> sides{};

  [[nodiscard]] constexpr ClueTable table() const { return {sides.data(), Clues, Classes}; }
};

namespace lap {

/// Two classes, one clue: it is present in the positive class, and the other class is the background.
constexpr ClueSystem<1, 2> binary(int positive = 1) {
  return positive == 1 ? ClueSystem<1, 2>{{-1, 1}} : ClueSystem<1, 2>{{1, -1}};
}

/// What one_vs_others gives: no table, so that a thousand classes are as cheap as two.
template <int Classes, int Background = -1>
struct OneVsOthers {
  static constexpr bool complete = true;
  static constexpr int classes = Classes, clues = Background < 0 ? Classes : Classes - 1;
  [[nodiscard]] constexpr ClueTable table() const { return {nullptr, clues, Classes, Background}; }
};

/// A clue for every class against all others. With `Background` that class has none: it is known by the absence of all.
template <int Classes>
constexpr OneVsOthers<Classes> one_vs_others() {
  return {};
}
template <int Classes, int Background>
constexpr OneVsOthers<Classes, Background> one_vs_others() {
  static_assert(Background >= 0 && Background < Classes, "limn: one_vs_others: there is no such background class");
  return {};
}

/// No clue stands for this class: it can only be the background.
constexpr bool is_background(const ClueTable& table, Index of_class) {
  for (Index m = 0; m < table.clues; ++m)
    if (table.side(m, of_class) > 0) return false;
  return true;
}

/// The first class that the clues do not tell from this one, which shares all positive sides that hold this one, or
/// which has none as this one has none; -1 if there is no such class (Eq. 2).
constexpr Index confused_with(const ClueTable& table, Index of_class) {
  for (Index other = 0; other < table.classes; ++other) {
    if (other == of_class) continue;
    bool told = false, spoken_for = false;
    for (Index m = 0; m < table.clues && !told; ++m) {
      if (table.side(m, of_class) <= 0) continue;
      spoken_for = true;
      told = table.side(m, other) <= 0;
    }
    if (!told && (spoken_for || is_background(table, other))) return other;
  }
  return -1;
}

/// The positive sides that hold this class have only this class in common (Eq. 2), or it is the only background.
constexpr bool is_told_apart(const ClueTable& table, Index of_class) { return confused_with(table, of_class) < 0; }

/// A clue promotes some classes over others: both sides hold a class (Eq. 1).
constexpr bool has_both_sides(const ClueTable& table, Index clue) {
  bool for_one = false, against_one = false;
  for (Index y = 0; y < table.classes; ++y) {
    for_one = for_one || table.side(clue, y) > 0;
    against_one = against_one || table.side(clue, y) < 0;
  }
  return for_one && against_one;
}

/// The compile-time forms: named in error messages together with the class or the clue.
template <auto Clues, int Class>
constexpr bool class_is_told_apart = is_told_apart(Clues.table(), Class);
template <auto Clues, int Clue>
constexpr bool clue_has_both_sides = has_both_sides(Clues.table(), Clue);

template <auto Clues, int Clue = 0>
constexpr bool check_sides() {
  static_assert(clue_has_both_sides<Clues, Clue>, "limn: this clue needs a class that it speaks for and one against");
  if constexpr (clue_has_both_sides<Clues, Clue> && Clue + 1 < Clues.clues) check_sides<Clues, Clue + 1>();
  return true;
}
template <auto Clues, int Class = 0>
constexpr bool check_complete() {
  if constexpr (!requires { Clues.complete; }) {
    static_assert(class_is_told_apart<Clues, Class>,
                  "limn: the clues do not tell this class from all others (Eq. 2 of Distinguishing Clues)");
    if constexpr (class_is_told_apart<Clues, Class> && Class + 1 < Clues.classes) {
      check_complete<Clues, Class + 1>();
    } else if constexpr (class_is_told_apart<Clues, Class>) {
      check_sides<Clues>();
    }
  }
  return true;
}

/// The run-time form. Throws OptionError naming the clue, or the classes that are not told apart.
template <class System>
void require_complete(const System& system) {
  const ClueTable clues = system.table();
  if constexpr (requires { System::complete; }) return;
  for (Index m = 0; m < clues.clues; ++m)
    require<OptionError>(has_both_sides(clues, m), "clues: clue ", m,
                         " needs a class that it speaks for and one against");
  for (Index y = 0; y < clues.classes; ++y) {
    const Index other = confused_with(clues, y);
    require<OptionError>(other < 0, "clues: class ", y, " is not told from class ", other,
                         is_background(clues, y) ? ": no clue speaks for either, and only one can be the background"
                                                 : ": every clue that speaks for it speaks for both");
  }
}

}  // namespace lap

}  // namespace limn

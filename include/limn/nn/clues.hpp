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
struct ClueTable {
  const int* sides = nullptr;
  Index clues = 0, classes = 0;
  [[nodiscard]] constexpr int side(Index clue, Index of_class) const { return sides[clue * classes + of_class]; }
};

/// A table known to the compiler; it can be a template argument.
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

/// A clue for every class against all others. With `background` that class has none.
template <int Classes>
constexpr ClueSystem<Classes, Classes> one_vs_others() {
  ClueSystem<Classes, Classes> out;
  for (int m = 0; m < Classes; ++m)
    for (int y = 0; y < Classes; ++y) out.sides[static_cast<std::size_t>(m * Classes + y)] = m == y ? 1 : -1;
  return out;
}
template <int Classes, int Background>
constexpr ClueSystem<Classes - 1, Classes> one_vs_others() {
  static_assert(Background >= 0 && Background < Classes, "limn: one_vs_others: there is no such background class");
  ClueSystem<Classes - 1, Classes> out;
  for (int m = 0; m < Classes - 1; ++m)
    for (int y = 0; y < Classes; ++y)
      out.sides[static_cast<std::size_t>(m * Classes + y)] = y == m + (m >= Background ? 1 : 0) ? 1 : -1;
  return out;
}

/// No clue stands for this class: it can only be the background.
constexpr bool is_background(const ClueTable& table, Index of_class) {
  for (Index m = 0; m < table.clues; ++m)
    if (table.side(m, of_class) > 0) return false;
  return true;
}

/// The positive sides that hold this class have only this class in common (Eq. 2), or it is the only background.
constexpr bool is_told_apart(const ClueTable& table, Index of_class) {
  const bool background = is_background(table, of_class);
  for (Index other = 0; other < table.classes; ++other) {
    if (other == of_class) continue;
    if (background) {
      if (is_background(table, other)) return false;
      continue;
    }
    bool in_all = true;
    for (Index m = 0; m < table.clues; ++m)
      if (table.side(m, of_class) > 0 && table.side(m, other) <= 0) in_all = false;
    if (in_all) return false;
  }
  return true;
}

/// The compile-time form: named in error messages together with the class.
template <auto Clues, int Class>
constexpr bool class_is_told_apart = is_told_apart(Clues.table(), Class);

template <auto Clues, int Class = 0>
constexpr bool check_complete() {
  static_assert(class_is_told_apart<Clues, Class>,
                "limn: the clues do not tell this class from all others (Eq. 2 of Distinguishing Clues)");
  if constexpr (class_is_told_apart<Clues, Class> && Class + 1 < Clues.classes) check_complete<Clues, Class + 1>();
  return true;
}

}  // namespace lap

}  // namespace limn

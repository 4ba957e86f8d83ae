// Acquisitions by what the network says: how far its probabilities are from a decision.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "limn/active/acquire.hpp"

namespace limn::acquire {

namespace detail {
/// -sum p ln p over f(0) to f(count - 1), in nats.
template <class F>
[[nodiscard]] double entropy(Index count, const F& f) {
  double sum = 0;
  for (Index k = 0; k < count; ++k)
    if (const double p = f(k); p > 0) sum -= p * std::log(p);
  return sum;
}

/// The two largest probabilities of a picture.
template <class Net>
[[nodiscard]] std::pair<double, double> two_largest(const View<Net>& view, Index picture) {
  double first = 0, second = 0;
  for (Index k = 0; k < view.classes(); ++k) {
    const double p = view.p(picture, k);
    if (p > first) {
      second = first;
      first = p;
    } else {
      second = std::max(second, p);
    }
  }
  return {first, second};
}

/// f(picture) for each.
template <class Net, class F>
[[nodiscard]] std::vector<double> each(const View<Net>& view, const F& f) {
  std::vector<double> out;
  for (Index i = 0; i < view.size(); ++i) out.push_back(f(i));
  return out;
}
}  // namespace detail

/// H = -sum p ln p, in nats: 0 to ln(classes) (Eq. 1 of the active learning paper). `normalised`: divided by
/// ln(classes).
struct Entropy {
  static constexpr const char* name = "entropy";
  bool normalised = false;

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    const double unit = normalised ? std::log(static_cast<double>(view.classes())) : 1;
    return detail::each(
        view, [&](Index i) { return detail::entropy(view.classes(), [&](Index k) { return view.p(i, k); }) / unit; });
  }
  [[nodiscard]] double largest(Index classes) const { return normalised ? 1 : std::log(static_cast<double>(classes)); }
};

/// 1 less the difference between the two largest probabilities: 0 to 1 (Scheffer et al. 2001).
struct Margin {
  static constexpr const char* name = "margin";

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    return detail::each(view, [&](Index i) {
      const auto [first, second] = detail::two_largest(view, i);
      return 1 - (first - second);
    });
  }
  [[nodiscard]] double largest(Index) const { return 1; }
};

/// 1 less the largest probability: 0 to 1 - 1/classes (Lewis and Gale 1994).
struct LeastConfidence {
  static constexpr const char* name = "least_confidence";

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    return detail::each(view, [&](Index i) { return 1 - detail::two_largest(view, i).first; });
  }
  [[nodiscard]] double largest(Index classes) const { return 1 - 1 / static_cast<double>(classes); }
};

/// Chance, 0 to 1: by the seed and the picture's id alone, so that what is chosen in a later round is what the first
/// would have chosen next.
struct Random {
  static constexpr const char* name = "random";
  Seed seed = {};

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    return detail::each(
        view, [&](Index i) { return limn::Random(seed, "acquire", view.ids[static_cast<std::size_t>(i)]).uniform(); });
  }
  [[nodiscard]] double largest(Index) const { return 1; }
};

}  // namespace limn::acquire

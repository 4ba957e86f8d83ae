// Top-k accuracy: how often the right class is among the k most probable.
#pragma once

#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

/// The share of rows of `scores` (N, K) in which fewer than k classes stand before the label: those with a larger
/// score, or the same and a smaller number. NaN for no rows. Throws ShapeError where sizes differ and Error for a label
/// out of range or a score that is NaN.
template <class Scores = xt::xtensor<float, 2>>
[[nodiscard, gnu::cold]] double top_k_accuracy(const Scores& scores, const std::vector<Index>& labels, Index k) {
  const std::size_t count = scores.shape()[0], classes = scores.shape()[1];
  require<ShapeError>(count == labels.size(), "top-k accuracy: ", count, " rows of scores but ", labels.size(),
                      " labels");
  require<OptionError>(k >= 1, "top-k accuracy: k must be at least 1, got ", k);
  Index hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    require(labels[i] >= 0 && labels[i] < static_cast<Index>(classes), "top-k accuracy: label ", labels[i], " of row ",
            i, " is outside 0 to ", classes - 1);
    const auto own = static_cast<std::size_t>(labels[i]);
    Index before = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      require(scores(i, c) == scores(i, c), "top-k accuracy: row ", i, ", class ", c, " is not a number");
      before += scores(i, c) > scores(i, own) || (scores(i, c) == scores(i, own) && c < own);
    }
    hits += before < k;
  }
  return count == 0 ? undefined_value : static_cast<double>(hits) / static_cast<double>(count);
}

}  // namespace limn::metrics

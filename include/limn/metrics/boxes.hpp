// How far single annotations were found, where they are boxes that reach beyond what they mark (Distinguishing Clues,
// appendix D.2.4). Maps and masks: as in metrics/localisation.hpp; an annotation is a mask of its own, empty ones are
// left out.
#pragma once

#include <vector>

#include "limn/metrics/localisation.hpp"

namespace limn::metrics {

/// The share of the annotations of which at least half lies inside the binary map. NaN where there are none.
[[nodiscard, gnu::cold]] inline double captured(const Map& binary, const std::vector<Map>& annotations) {
  Index found = 0, count = 0;
  for (const Map& annotation : annotations) {
    check_map(binary, annotation);
    const Index size = mask_size(annotation);
    Index inside = 0;
    for (std::size_t i = 0; i < binary.size(); ++i) inside += binary.data()[i] > 0.5f && annotation.data()[i] > 0.5f;
    count += size > 0;
    found += size > 0 && 2 * inside >= size;
  }
  return count == 0 ? undefined_value : static_cast<double>(found) / static_cast<double>(count);
}

/// Intersection over union with the better half of every annotation: of its pixels, the half (rounded up) that
/// `ranking` puts highest shall be marked, ties by reading order; whether the other half is says nothing, so it is left
/// out. Whoever marks half of each box and nothing else scores 1. NaN where there are no annotations, or where the
/// ranking is the same everywhere.
[[nodiscard, gnu::cold]] inline double truncated_iou(const Map& binary, const Map& ranking,
                                                     const std::vector<Map>& annotations) {
  check_map(ranking, binary);
  enum : char { outside, left_out, wanted };
  std::vector<char> part(binary.size(), outside);
  for (const Map& annotation : annotations) {
    check_map(binary, annotation);
    Map inside = ranking;  // what is not in the annotation comes last
    const float below = *std::min_element(ranking.data(), ranking.data() + ranking.size()) - 1;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (annotation.data()[i] <= 0.5f) inside.data()[i] = below;
      if (annotation.data()[i] > 0.5f && part[i] == outside) part[i] = left_out;
    }
    const Map better = top_k(inside, (mask_size(annotation) + 1) / 2);
    for (std::size_t i = 0; i < part.size(); ++i)
      if (better.data()[i] > 0.5f) part[i] = wanted;
  }
  Index both = 0, either = 0, size = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool marked = binary.data()[i] > 0.5f;
    size += part[i] == wanted;
    both += marked && part[i] == wanted;
    either += part[i] == wanted || (marked && part[i] == outside);
  }
  if (size == 0 || is_constant(ranking)) return undefined_value;
  return static_cast<double>(both) / static_cast<double>(either);
}

}  // namespace limn::metrics

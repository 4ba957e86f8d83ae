// The head of record_botcl.py: weights by the same formula, and what torch computed with it.
#pragma once

#include <cmath>
#include <string>

#include "limn/nn/botcl.hpp"
#include "recorded/recorded_botcl.hpp"

namespace limn::testing {

inline Tensor<CpuDouble> wave(const Shape& shape, double speed, double size, double middle = 0) {
  Tensor<CpuDouble> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = middle + size * std::sin(speed * static_cast<double>(i) + 0.5);
  return out;
}

using RecordedBotCl = BotCl<CpuDouble, 3, 3, 4, 8>;

inline RecordedBotCl recorded_botcl() {
  RecordedBotCl head;
  for (auto& [path, p] : parameters(head)) {
    const Shape shape = p->shape();
    const auto is = [name = &path](const char* other) { return *name == other; };
    if (is("reduce.0.weight")) p->value() = wave(shape, 0.7, 0.8);
    if (is("reduce.0.bias")) p->value() = wave(shape, 2.1, 0.2);
    if (is("reduce.1.weight")) p->value() = wave(shape, 1.7, 0.3, 1);
    if (is("reduce.1.bias")) p->value() = wave(shape, 0.4, 0.3);
    if (is("attention.concepts")) p->value() = wave(shape, 4.4, 2);
    for (const auto& [layer, speed] : {std::pair{"0", 3.8}, {"2", 1.8}, {"4", 5.8}}) {
      if (path == std::string("attention.key.") + layer + ".weight") p->value() = wave(shape, speed, 0.9);
      if (path == std::string("attention.key.") + layer + ".bias") p->value() = wave(shape, speed, 0.8);
    }
    if (is("classify.weight")) p->value() = wave(shape, 0.9, 1);
    if (is("classify.bias")) p->value() = wave(shape, 1.5, 0.1);
  }
  return head;
}

inline const std::vector<Index> recorded_labels{0, 1, 1, 2, 0, 1};
inline Tensor<CpuDouble> recorded_maps() { return wave({6, 2, 3, 3}, 1.3, 1); }

/// Largest difference to what was recorded.
template <Backend B>
double off(const Tensor<B>& found, const std::vector<double>& expected) {
  if (found.size() != static_cast<Index>(expected.size())) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = std::abs(static_cast<double>(found.data()[i]) - expected[i]);
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

}  // namespace limn::testing

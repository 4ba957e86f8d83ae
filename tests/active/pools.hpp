// What the tests of active learning share: pictures whose numbers are what a network says of them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "../nn/helpers.hpp"
#include "limn/active/select.hpp"
#include "limn/nn/layers.hpp"

namespace limn::testing {

/// A picture of 1 x 1 for each row of numbers, which are its channels; class 0.
inline data::Dataset points(const std::vector<std::vector<float>>& rows, Index classes = 2) {
  std::vector<data::Sample> samples;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    data::Sample sample{.id = text(i), .group = text(i), .image = {}, .mask = std::nullopt};
    sample.image = data::Image::from_shape({1, 1, rows[i].size()});
    std::copy(rows[i].begin(), rows[i].end(), sample.image.begin());
    samples.push_back(std::move(sample));
  }
  std::vector<std::string> names;
  for (Index k = 0; k < classes; ++k) names.push_back(text("class ", k));
  return {std::move(samples), std::move(names)};
}

/// Logits are the means of the channels; "same" is the picture itself.
struct Channels {
  Identity<Cpu> same;
  static constexpr auto fields = Fields{field<"same">(&Channels::same)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return flatten(global_average(run(same, x))); }
};

/// The logarithms of probabilities, as a picture's numbers.
inline std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> out;
  for (const double p : probabilities) out.push_back(static_cast<float>(std::log(p)));
  return out;
}

}  // namespace limn::testing

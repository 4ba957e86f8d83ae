// What torch recorded about networks, and comparisons with it. The recorded numbers are double precision, so the
// tolerance, 1e-4 of the largest, is what float may lose on the way.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "limn/loss/loss.hpp"
#include "limn/models/weights.hpp"

namespace limn::testing {

inline constexpr double recorded_tolerance = 1e-4;

inline io::TensorFile recorded(const char* name) {
  return io::read_safetensors(std::filesystem::path(__FILE__).parent_path() / "recorded" / name);
}

/// "images" (n, h, w, c) and "labels".
inline Batch<Cpu> recorded_batch(const io::TensorFile& file) {
  Batch<Cpu> batch;
  const auto& extents = file.at("images").shape;
  const auto pixels = io::values<float>(file.at("images"));
  batch.images = Tensor<Cpu>(Shape{extents[0], extents[1], extents[2], extents[3]}, std::span<const float>(pixels));
  batch.labels = io::values<Index>(file.at("labels"));
  return batch;
}

inline std::vector<float> in_file_order(const Tensor<Cpu>& x) { return io::values<float>(detail::entry_of(x)); }

/// `values` are in the order of files.
inline void check_recorded(const std::vector<float>& values, const io::TensorFile& file, const std::string& name) {
  const auto expected = io::values<double>(file.at(name));
  REQUIRE(values.size() == expected.size());
  double largest = 0, furthest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    furthest = std::max(furthest, std::abs(static_cast<double>(values[i]) - expected[i]));
  }
  CAPTURE(name);
  CAPTURE(largest);
  CHECK(furthest / largest < recorded_tolerance);
}

}  // namespace limn::testing

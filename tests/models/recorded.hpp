// What torch recorded about networks, and comparisons with it. The recorded numbers are double precision, so the
// tolerance, 1e-4 of the largest, is what float may lose on the way.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "limn/loss/classification.hpp"
#include "limn/models/weights.hpp"
#include "limn/optim/optimizer.hpp"

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

/// Trains the network by cross-entropy and the recorded number of steps of SGD, as the record_*.py do; compares the
/// "losses" and, of the first step, every "gradient.PATH" that is there. Returns how many were.
template <class Net>
int check_steps(Net& net, const Batch<Cpu>& batch, const io::TensorFile& expected) {
  auto optimizer = make_optimizer(Sgd{{.lr = .01, .momentum = .9, .weight_decay = 1e-3}}, net);
  const auto losses = io::values<double>(expected.at("losses"));
  int gradients_seen = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> logits = run(net, batch.images);
    const Var<Cpu> loss = CrossEntropy{}(Step<Cpu>{batch, logits, run});
    CAPTURE(step);
    CHECK(static_cast<double>(loss.item()) == doctest::Approx(losses[step]).epsilon(recorded_tolerance));
    const auto gradients = grad<Cpu>({loss}, optimizer.variables());
    for (std::size_t i = 0; step == 0 && i < gradients.size(); ++i) {
      const std::string name = "gradient." + optimizer.path(i);
      if (!expected.tensors.contains(name)) continue;
      check_recorded(in_file_order(gradients[i].value()), expected, name);
      ++gradients_seen;
    }
    optimizer.step(gradients);
    run.commit();
  }
  return gradients_seen;
}

}  // namespace limn::testing

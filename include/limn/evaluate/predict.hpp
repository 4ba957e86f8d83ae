// From pictures to batches to probabilities.
#pragma once

#include <algorithm>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/data/loader.hpp"
#include "limn/loss/loss.hpp"
#include "limn/nn/run.hpp"

namespace limn {

/// Pictures per pass.
inline constexpr Index evaluation_batch = 32;

/// A loader's batch as tensors of the back end.
template <Backend B>
[[nodiscard]] Batch<B> to_batch(const data::HostBatch& host) {
  const auto tensor = [](const xt::xtensor<float, 4>& from) {
    Shape shape;
    for (auto extent : from.shape()) shape.push(static_cast<Index>(extent));
    Tensor<B> out(shape);
    std::transform(from.begin(), from.end(), out.data(), [](float v) { return static_cast<typename B::scalar>(v); });
    return out;
  };
  return {tensor(host.images), host.labels, tensor(host.masks), host.has_mask};
}

/// Probabilities of a batch (n, classes), in evaluation mode; `run` keeps what the pass left (LAP maps).
template <class Net, Backend B>
[[nodiscard]] Tensor<B> probabilities(const Net& net, const Tensor<B>& images, Run<B>& run) {
  const NoRecord no_record;
  return softmax(run(net, Var<B>(images))).value();
}

/// The class with the largest probability, per row; the first of equals.
template <class T>
[[nodiscard]] std::vector<Index> predicted_classes(const Tensor<CpuOf<T>>& probabilities) {
  const auto best = kernel::argmax(probabilities);
  std::vector<Index> out;
  for (auto at : best.span()) out.push_back(at % probabilities.dim(1));
  return out;
}

}  // namespace limn

// From pictures to batches to probabilities.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "limn/core/host.hpp"
#include "limn/data/loader.hpp"
#include "limn/loss/loss.hpp"
#include "limn/nn/run.hpp"

namespace limn {

/// Pictures per pass.
inline constexpr Index evaluation_batch = 32;

/// A loader's batch as tensors of the back end; the numbers are taken over, not copied, where their type stays.
template <Backend B>
[[nodiscard]] Batch<B> to_batch(data::HostBatch host) {
  const auto numbers = [](auto& values) {
    Tensor<Cpu> x = from_xtensor(std::move(values));
    if constexpr (std::is_same_v<B, Cpu>) {
      return x;
    } else {
      return cast<B>(x);
    }
  };
  return {numbers(host.images), std::move(host.labels), numbers(host.masks), std::move(host.has_mask)};
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

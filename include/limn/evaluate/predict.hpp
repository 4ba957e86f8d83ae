// From pictures to batches to probabilities.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "limn/data/loader.hpp"
#include "limn/loss/loss.hpp"
#include "limn/nn/run.hpp"

namespace limn {

/// Pictures per pass.
inline constexpr Index evaluation_batch = 32;

namespace detail {
template <Backend B>
Tensor<B> to_backend(const Tensor<Cpu>& x) {
  if constexpr (std::is_same_v<B, Cpu>) {
    return x;
  } else {
    return cast<B>(x);
  }
}
}  // namespace detail

/// A loader's batch as tensors of the back end; numbers are not copied where their type stays.
template <Backend B>
[[nodiscard]] Batch<B> to_batch(data::HostBatch host) {
  return {detail::to_backend<B>(host.images), std::move(host.labels), detail::to_backend<B>(host.masks),
          std::move(host.has_mask), std::move(host.domains)};
}

/// One picture (h, w, c) as a batch (1, h, w, c).
template <Backend B>
[[nodiscard, gnu::cold]] Tensor<B> batch_of_one(const data::Image& image) {
  const auto& shape = image.shape();
  const auto extent = [&](std::size_t axis) { return static_cast<Index>(shape[axis]); };
  return detail::to_backend<B>(Tensor<Cpu>(Shape{1, extent(0), extent(1), extent(2)}, {image.data(), image.size()}));
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

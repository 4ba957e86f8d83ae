// Between Tensor and xtensor, without a copy: the user's side of every number on the CPU.
#pragma once

#include <memory>
#include <utility>

#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>

#include "limn/core/tensor.hpp"

namespace limn {

/// Takes over the numbers of an xtensor (give it with std::move; an lvalue is copied first). No copy is made.
template <class T, std::size_t N>
[[nodiscard]] Tensor<CpuOf<T>> from_xtensor(xt::xtensor<T, N> values) {
  static_assert(N >= 1 && N <= Shape::max_rank, "limn: a tensor has 1 to 5 dimensions");
  Shape shape;
  for (auto extent : values.shape()) shape.push(static_cast<Index>(extent));
  auto owner = std::make_shared<xt::xtensor<T, N>>(std::move(values));
  return {shape, std::shared_ptr<T>(owner, owner->data())};
}

/// A view of the tensor's numbers as an xtensor expression of rank N. Valid while the tensor's numbers live.
template <std::size_t N, class T>
[[nodiscard]] auto as_xtensor(Tensor<CpuOf<T>>& x) {
  require<ShapeError>(x.rank() == static_cast<int>(N), "as_xtensor: expected rank ", N, ", got shape ", x.shape());
  std::array<std::size_t, N> shape{};
  for (std::size_t i = 0; i < N; ++i) shape[i] = static_cast<std::size_t>(x.shape()[static_cast<int>(i)]);
  return xt::adapt(x.data(), static_cast<std::size_t>(x.size()), xt::no_ownership(), shape);
}

/// The numbers as an xtensor of their own.
template <std::size_t N, class T>
[[nodiscard]] xt::xtensor<T, N> to_xtensor(const Tensor<CpuOf<T>>& x) {
  Tensor<CpuOf<T>> alias = x;
  return as_xtensor<N>(alias);
}

}  // namespace limn

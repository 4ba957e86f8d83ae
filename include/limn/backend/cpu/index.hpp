// Moving numbers: by position, by axis, by box.
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

/// out[i] = x[positions[i]], flat. The shape is that of the positions.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> take(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<std::int32_t>>& positions) {
  Tensor<CpuOf<T>> out(positions.shape());
  parallel_pieces(out.size(), 16384, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) out.data()[i] = x.data()[positions.data()[i]];
  });
  return out;
}

/// The adjoint of take: a tensor of `shape`, zero but for the values added at their positions, in order.
/// With groups > 1, that many equal parts of the values go to as many equal parts of the result (images of a batch).
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> scatter_add(const Tensor<CpuOf<T>>& values, const Tensor<CpuOf<std::int32_t>>& positions,
                                           const Shape& shape, Index groups = 1) {
  Tensor<CpuOf<T>> out(shape);
  const Index part = values.size() / groups, zeros = out.size() / groups;
  parallel_for(groups, [&](Index group) {
    std::fill_n(out.data() + group * zeros, zeros, T(0));
    for (Index i = group * part; i < (group + 1) * part; ++i) out.data()[positions.data()[i]] += values.data()[i];
  });
  return out;
}

/// Flat position of the largest element along the last axis (the first of equals). Extent 1 remains.
template <class T>
[[nodiscard]] Tensor<CpuOf<std::int32_t>> argmax(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back();
  Shape shape = x.shape();
  shape[shape.rank() - 1] = 1;
  Tensor<CpuOf<std::int32_t>> out(shape);
  parallel_pieces(out.size(), std::max<Index>(1, 16384 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* const row = x.data() + r * c;
      out.data()[r] = static_cast<std::int32_t>(std::max_element(row, row + c) - x.data());
    }
  });
  return out;
}

/// Flat positions of the k largest elements along the last axis, largest first, ties by position.
template <class T>
[[nodiscard]] Tensor<CpuOf<std::int32_t>> top_k(const Tensor<CpuOf<T>>& x, Index k) {
  const Index c = x.shape().back();
  Shape shape = x.shape();
  shape[shape.rank() - 1] = k;
  Tensor<CpuOf<std::int32_t>> out(shape);
  parallel_for(c > 0 ? x.size() / c : 0, [&](Index r) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(c));
    std::iota(order.begin(), order.end(), static_cast<std::int32_t>(r * c));
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](std::int32_t a, std::int32_t b) {
      return x.data()[a] > x.data()[b] || (x.data()[a] == x.data()[b] && a < b);
    });
    std::copy_n(order.begin(), k, out.data() + r * k);
  });
  return out;
}

/// Axes in another order: out's axis i is x's axis order[i].
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> permute(const Tensor<CpuOf<T>>& x, const std::vector<int>& order) {
  Shape shape;
  std::array<Index, Shape::max_rank> stride{};
  for (int axis : order) {
    stride[static_cast<std::size_t>(shape.rank())] = x.shape().product(axis + 1, x.rank());
    shape.push(x.shape()[axis]);
  }
  Tensor<CpuOf<T>> out(shape);
  const Index inner = shape.back(), step = stride[static_cast<std::size_t>(shape.rank() - 1)];
  parallel_pieces(inner > 0 ? out.size() / inner : 0, std::max<Index>(1, 16384 / std::max<Index>(inner, 1)),
                  [&](Index begin, Index end) {
                    for (Index r = begin; r < end; ++r) {
                      Index left = r, from = 0;
                      for (int axis = shape.rank() - 2; axis >= 0; --axis) {
                        from += left % shape[axis] * stride[static_cast<std::size_t>(axis)];
                        left /= shape[axis];
                      }
                      for (Index i = 0; i < inner; ++i) out.data()[r * inner + i] = x.data()[from + i * step];
                    }
                  });
  return out;
}

/// Elements [begin, begin + length) along an axis.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> slice(const Tensor<CpuOf<T>>& x, int axis, Index begin, Index length) {
  Shape shape = x.shape();
  shape[axis] = length;
  Tensor<CpuOf<T>> out(shape);
  const Index outer = shape.product(0, axis), inner = shape.product(axis + 1, shape.rank());
  for (Index o = 0; o < outer; ++o)
    std::copy_n(x.data() + (o * x.shape()[axis] + begin) * inner, length * inner, out.data() + o * length * inner);
  return out;
}

/// The adjoint of slice: x set among zeros, starting at `begin` of `extent` along an axis.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> embed(const Tensor<CpuOf<T>>& x, int axis, Index begin, Index extent) {
  Shape shape = x.shape();
  const Index length = shape[axis];
  shape[axis] = extent;
  Tensor<CpuOf<T>> out(shape, T(0));
  const Index outer = shape.product(0, axis), inner = shape.product(axis + 1, shape.rank());
  for (Index o = 0; o < outer; ++o)
    std::copy_n(x.data() + o * length * inner, length * inner, out.data() + (o * extent + begin) * inner);
  return out;
}

}  // namespace limn::kernel

// Sums along axes. Long sums are cut into blocks of a fixed length, so that the result does not depend on threads.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/backend/cpu/blocks/channels.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Sums of rows of a strip of channels.
template <class T, int Lanes, int Side>
void sum_strip(const T* in, Index rows, Index c, T* out) {
  using V = Channels<T, Lanes>;
  typename V::Value sum[Side] = {};
  for (Index r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (Index s = 0; s < Side; ++s) sum[s] += V::load(in + r * c + s * Lanes);
  }
#pragma GCC unroll 4
  for (Index s = 0; s < Side; ++s) V::store(out + s * Lanes, sum[s]);
}

/// in (a, r, c) -> out (a, c), summed over r.
template <class T>
void sum_middle(const T* in, T* out, Index a, Index r, Index c) {
  constexpr Index block = 512;
  if (r == 0) {
    std::fill_n(out, a * c, T(0));
    return;
  }
  if (c == 1) {  // rows of contiguous numbers
    const Index blocks = (r + block * 16 - 1) / (block * 16);
    std::vector<T> partial(static_cast<std::size_t>(a * blocks));
    parallel_pieces(a * blocks, std::max<Index>(1, 16384 / std::min(r, block * 16)), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Index first = (i % blocks) * block * 16, last = std::min(r, first + block * 16);
        const T* p = in + (i / blocks) * r;
        T lanes[16] = {};
        Index k = first;
        for (; k + 16 <= last; k += 16)
          for (int l = 0; l < 16; ++l) lanes[l] += p[k + l];
        for (; k < last; ++k) lanes[k % 16] += p[k];
        T sum = 0;
        for (T lane : lanes) sum += lane;
        partial[static_cast<std::size_t>(i)] = sum;
      }
    });
    for (Index i = 0; i < a; ++i) {
      T sum = 0;
      for (Index b = 0; b < blocks; ++b) sum += partial[static_cast<std::size_t>(i * blocks + b)];
      out[i] = sum;
    }
    return;
  }
  const Index blocks = (r + block - 1) / block;
  std::vector<T> partial(static_cast<std::size_t>(blocks > 1 ? a * blocks * c : 0));
  const Index piece = std::max<Index>(1, 16384 / (std::min(r, block) * c)), step = rows_of_block(c);
  parallel_pieces(a * blocks, piece, [&](Index from, Index to) {
    // In memory of its own: threads that add side by side would wait for each other.
    std::vector<T> mine(static_cast<std::size_t>(2 * c));
    T *const sum = mine.data(), *const some = sum + c;
    for (Index i = from; i < to; ++i) {
      const Index first = (i % blocks) * block, last = std::min(r, first + block);
      std::fill_n(sum, c, T(0));
      for (Index begin = first; begin < last; begin += step) {
        const T* const rows = in + ((i / blocks) * r + begin) * c;
        for_strips<T>(c, [&]<int Lanes, int Side>(Index k) {
          sum_strip<T, Lanes, Side>(rows + k, std::min(step, last - begin), c, some + k);
        });
#pragma omp simd
        for (Index k = 0; k < c; ++k) sum[k] += some[k];
      }
      std::copy_n(sum, c, blocks > 1 ? partial.data() + i * c : out + i * c);
    }
  });
  if (blocks > 1)
    for (Index i = 0; i < a; ++i) {
      std::fill_n(out + i * c, c, T(0));
      for (Index b = 0; b < blocks; ++b)
        for (Index j = 0; j < c; ++j) out[i * c + j] += partial[static_cast<std::size_t>((i * blocks + b) * c + j)];
    }
}

}  // namespace detail

/// Sums x over every axis in which `shape` has extent 1 or that `shape` lacks in front. The adjoint of repeat_to.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> sum_to(const Tensor<CpuOf<T>>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor<CpuOf<T>> now = x;
  Shape left = x.shape();
  const int lead = left.rank() - shape.rank();
  const auto summed = [&](int axis) { return left[axis] != 1 && (axis < lead || shape[axis - lead] == 1); };
  for (int axis = 0; axis < left.rank(); ++axis) {
    if (!summed(axis)) continue;
    int last = axis;
    while (last + 1 < left.rank() && (summed(last + 1) || left[last + 1] == 1)) ++last;
    const Index a = left.product(0, axis), r = left.product(axis, last + 1), c = left.product(last + 1, left.rank());
    for (int i = axis; i <= last; ++i) left[i] = 1;
    Tensor<CpuOf<T>> next(left);
    if (next.size() > 0) detail::sum_middle(now.data(), next.data(), a, r, c);
    now = next;
    axis = last;
  }
  return now.reshape(shape);
}

}  // namespace limn::kernel

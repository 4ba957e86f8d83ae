// Grouped convolution and its two adjoints: the channels are cut into groups, and each group of results sees its own
// group of the image's channels. Every group is copied to where its channels are contiguous and convolved there.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c / groups), y (n, out_h, out_w, k). Outputs of a group are
// neighbours.
#pragma once

#include <algorithm>

#include "limn/backend/cpu/conv.hpp"

namespace limn::kernel {

namespace detail {

/// Channels [from, from + count) of an image, as an image of their own.
template <class T>
Tensor<CpuOf<T>> channels_of(const Tensor<CpuOf<T>>& x, Index from, Index count) {
  const Index c = x.dim(3), positions = x.size() / c;
  Tensor<CpuOf<T>> out(Shape{x.dim(0), x.dim(1), x.dim(2), count});
  parallel_pieces(positions, std::max<Index>(1, 16384 / count), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) std::copy_n(x.data() + i * c + from, count, out.data() + i * count);
  });
  return out;
}

/// The way back: `part` becomes the channels of x from `from` on.
template <class T>
void put_channels(const Tensor<CpuOf<T>>& part, Tensor<CpuOf<T>>& x, Index from) {
  const Index c = x.dim(3), count = part.dim(3), positions = x.size() / c;
  parallel_pieces(positions, std::max<Index>(1, 16384 / count), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) std::copy_n(part.data() + i * count, count, x.data() + i * c + from);
  });
}

/// Groups that are convolved together, and how wide they are together.
struct JoinedGroups {
  Index joined, c, k;

  /// `widest`: how many channels are worth joining.
  JoinedGroups(Index all_c, Index all_k, Index groups, Index widest) : joined(1) {
    const Index wide = std::max(all_c, all_k) / groups;
    for (Index m = 2; m * wide <= widest && m <= groups; ++m)
      if (groups % m == 0) joined = m;
    c = all_c / groups * joined;
    k = all_k / groups * joined;
  }
};

/// The weight of groups [first, first + joined): theirs along the diagonal.
template <class T>
Tensor<CpuOf<T>> joined_weight(const Tensor<CpuOf<T>>& weight, const JoinedGroups& by, Index first) {
  const Index area = weight.dim(1) * weight.dim(2), c = weight.dim(3), k = by.k / by.joined;
  Tensor<CpuOf<T>> out(Shape{by.k, weight.dim(1), weight.dim(2), by.c}, T(0));
  for (Index i = 0; i < by.k * area; ++i)
    std::copy_n(weight.data() + (first * k * area + i) * c, c, out.data() + i * by.c + i / (k * area) * c);
  return out;
}

/// The way back: what lies on the diagonal.
template <class T>
void put_joined_weight(const Tensor<CpuOf<T>>& part, Tensor<CpuOf<T>>& weight, const JoinedGroups& by, Index first) {
  const Index area = weight.dim(1) * weight.dim(2), c = weight.dim(3), k = by.k / by.joined;
  for (Index i = 0; i < by.k * area; ++i)
    std::copy_n(part.data() + i * by.c + i / (k * area) * c, c, weight.data() + (first * k * area + i) * c);
}

}  // namespace detail

/// y = every group of x's channels with its own part of the weight.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> grouped_conv2d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& weight,
                                              const Window& win, Index groups) {
  const detail::JoinedGroups by(x.dim(3), weight.dim(0), groups, detail::block_columns<T>);
  Tensor<CpuOf<T>> y(Shape{x.dim(0), win.out_h(x.dim(1)), win.out_w(x.dim(2)), weight.dim(0)});
  for (Index g = 0; g < groups; g += by.joined) {
    const Index i = g / by.joined;
    detail::put_channels(conv2d(detail::channels_of(x, i * by.c, by.c), detail::joined_weight(weight, by, g), win), y,
                         i * by.k);
  }
  return y;
}

/// The adjoint of grouped_conv2d in x: x of shape `shape` from y.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> grouped_conv2d_input(const Tensor<CpuOf<T>>& y, const Tensor<CpuOf<T>>& weight,
                                                    const Shape& shape, const Window& win, Index groups) {
  const detail::JoinedGroups by(shape[3], weight.dim(0), groups, detail::block_columns<T>);
  Tensor<CpuOf<T>> x(shape);
  for (Index g = 0; g < groups; g += by.joined) {
    const Index i = g / by.joined;
    detail::put_channels(conv2d_input(detail::channels_of(y, i * by.k, by.k), detail::joined_weight(weight, by, g),
                                      Shape{shape[0], shape[1], shape[2], by.c}, win),
                         x, i * by.c);
  }
  return x;
}

/// The adjoint of grouped_conv2d in the weight, whose shape is `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> grouped_conv2d_weight(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& y,
                                                     const Shape& shape, const Window& win, Index groups) {
  const detail::JoinedGroups by(x.dim(3), shape[0], groups, detail::block_columns<T>);
  Tensor<CpuOf<T>> weight(shape);
  for (Index g = 0; g < groups; g += by.joined) {
    const Index i = g / by.joined;
    detail::put_joined_weight(
        conv2d_weight(detail::channels_of(x, i * by.c, by.c), detail::channels_of(y, i * by.k, by.k),
                      Shape{by.k, shape[1], shape[2], by.c}, win),
        weight, by, g);
  }
  return weight;
}

}  // namespace limn::kernel

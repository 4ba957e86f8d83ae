// Depthwise convolution and its two adjoints: every channel has a window of its own. Nothing is unfolded or padded:
// columns whose windows hang over an edge are summed one by one, over the taps that lie in the image; all others in
// blocks (depthwise_block.hpp).
// x (n, h, w, c), weight (c, kernel_h, kernel_w, 1), y (n, out_h, out_w, c).
// The order of all additions depends on sizes alone; but for the weight's gradient, not even on the batch.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "limn/backend/cpu/blocks/depthwise_block.hpp"
#include "limn/core/memory.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// One axis of a convolution. Result j (of count) is at first + j * step; it is the sum over taps t of the number at
/// j * in_step + offset + t of the other side times the weight at k + t * k_step.
struct AxisWalk {
  Index first, step, count, in_step, taps, offset, k, k_step;

  /// The taps [first, second) of result j that lie in [0, extent).
  [[nodiscard]] std::pair<Index, Index> inside(Index j, Index extent) const {
    const Index at = j * in_step + offset, begin = std::clamp<Index>(-at, 0, taps);
    return {begin, std::clamp<Index>(extent - at, begin, taps)};
  }
  /// The results [first, second) of which all taps lie there.
  [[nodiscard]] std::pair<Index, Index> whole(Index extent) const {
    Index begin = 0, end = count;
    while (begin < count && begin * in_step + offset < 0) ++begin;
    while (end > begin && (end - 1) * in_step + offset + taps > extent) --end;
    return {begin, end};
  }
};

/// From the image to `out` windows.
inline std::vector<AxisWalk> walk_forward(Index out, Index kernel, Index stride, Index pad) {
  return {{0, 1, out, stride, kernel, -pad, 0, 1}};
}

/// From windows back to the image: positions that lie alike between strides see the same taps, so there is a walk for
/// each place of a stride.
inline std::vector<AxisWalk> walks_back(Index extent, Index kernel, Index stride, Index pad) {
  std::vector<AxisWalk> walks;
  for (Index first = 0; first < std::min(stride, extent); ++first) {
    const Index k = (first + pad) % stride, taps = k < kernel ? (kernel - 1 - k) / stride + 1 : 0;
    walks.push_back({first, stride, (extent - first + stride - 1) / stride, 1, taps, (first + pad) / stride - taps + 1,
                     k + (taps - 1) * stride, -stride});
  }
  return walks;
}

/// One row of results: out (columns of all walks, c) from rows of w columns; `rows` is the part of the window above
/// each other that lies in the image, without its taps.
template <class T, int Lanes>
void depthwise_row(const WindowPart<T>& rows, Index w, Index c, const AxisWalk& walk, Index from, Index to, T* out) {
  const Index in_step = walk.in_step * c, out_step = walk.step * c;
  const auto [begin, end] = walk.whole(w);
  const auto place = [&](Index j, std::pair<Index, Index> taps) {
    WindowPart<T> window = rows;
    window.in += (j * walk.in_step + walk.offset + taps.first) * c;
    window.weight += (walk.k + taps.first * walk.k_step) * c;
    window.taps = taps.second - taps.first;
    return window;
  };
  const auto to_column = [&](Index j) { return out + (walk.first + j * walk.step) * c; };
  const auto one = [&](Index j) { sum_cut_window<T, Lanes>(place(j, walk.inside(j, w)), from, to, c, to_column(j)); };
  auto some = walk.in_step == 1 ? sum_window<T, Lanes, true, 0, 0> : sum_window<T, Lanes, false, 0, 0>;
  if (rows.rows == 3 && walk.taps == 3)
    some = walk.in_step == 1 ? sum_window<T, Lanes, true, 3, 3> : sum_window<T, Lanes, false, 3, 3>;
  // The parts of such a window that meet one place of a stride of two, on the way back.
  if (walk.in_step == 1 && rows.rows == 1 && walk.taps == 1) some = sum_window<T, Lanes, true, 1, 1>;
  if (walk.in_step == 1 && rows.rows == 1 && walk.taps == 2) some = sum_window<T, Lanes, true, 1, 2>;
  if (walk.in_step == 1 && rows.rows == 2 && walk.taps == 1) some = sum_window<T, Lanes, true, 2, 1>;
  if (walk.in_step == 1 && rows.rows == 2 && walk.taps == 2) some = sum_window<T, Lanes, true, 2, 2>;
  for (Index j = 0; j < begin; ++j) one(j);
  // The last block takes columns along that are done already, as the last register does with channels.
  constexpr Index block = block_of_columns;
  Index j = begin;
  if (end - begin >= block)
    for (; j < end; j += block) {
      const Index first = std::min(j, end - block);
      some(place(first, {0, walk.taps}), in_step, from, to, c, to_column(first), out_step);
    }
  for (j = std::min(j, end); j < walk.count; ++j) one(j);
}

/// All rows of n results (out_h, out_w, c), from as many inputs (h, w, c). The weight is packed: (window, c).
template <class T>
void depthwise(const T* in, Index n, Index h, Index w, Index c, const std::vector<AxisWalk>& vertical,
               const std::vector<AxisWalk>& horizontal, Index kernel_w, const T* weight, T* out, Index out_h,
               Index out_w) {
  constexpr Index channels = 16 * lanes<T>;  // so many, that their weights stay near
  const auto run = [&]<int Lanes>() {
    const Index piece = std::max<Index>(1, (Index{1} << 15) / (out_w * c));
    parallel_pieces(n * out_h, piece, [&](Index first, Index last) {
      for (Index line = first; line < last; ++line) {
        const Index y = line % out_h, image = line / out_h, step = static_cast<Index>(vertical.size());
        const AxisWalk& down = vertical[static_cast<std::size_t>(y % step)];
        const auto [top, bottom] = down.inside(y / step, h);
        const T* const start = in + (image * h + y / step * down.in_step + down.offset + top) * w * c;
        for (Index from = 0; from < c; from += channels)
          for (const AxisWalk& walk : horizontal)
            depthwise_row<T, Lanes>({start, weight + (down.k + top * down.k_step) * kernel_w * c, bottom - top, 0,
                                     w * c, c, down.k_step * kernel_w * c, walk.k_step * c},
                                    w, c, walk, from, std::min(from + channels, c), out + line * out_w * c);
      }
    });
  };
  by_channels<T>(c, run);
}

/// sums (window, slots) += what rows [first, last) of y (n, out_h, out_w, c) say, for channels [from, to).
template <class T, int Lanes>
void add_depthwise_weight(const T* x, Index h, Index w, Index c, const T* y, const AxisWalk& down,
                          const AxisWalk& along, Index first, Index last, Index from, Index to, T* sums, Index slots) {
  // Columns whose numbers stay near while the registers pass by. With a stride, x is too large to wait for its turn.
  const Index chunk = along.in_step == 1 ? 16 : 4;
  const auto [begin, end] = along.whole(w);
  for (Index line = first; line < last; ++line) {
    const auto [top, bottom] = down.inside(line % down.count, h);
    const T* const row = x + (line / down.count * h + line % down.count * down.in_step + down.offset + top) * w * c;
    const auto add = [&, top = top, bottom = bottom](Index j, Index columns, std::pair<Index, Index> taps) {
      add_window_products<T, Lanes>(row + (j * along.in_step + along.offset + taps.first) * c, w * c, along.in_step * c,
                                    y + (line * along.count + j) * c, columns, bottom - top, taps.second - taps.first,
                                    from, to, c, sums + (top * along.taps + taps.first) * slots, along.taps * slots,
                                    slots);
    };
    for (Index j = 0; j < begin; ++j) add(j, 1, along.inside(j, w));
    for (Index j = begin; j < end; j += chunk) add(j, std::min(chunk, end - j), {0, along.taps});
    for (Index j = end; j < along.count; ++j) add(j, 1, along.inside(j, w));
  }
}

/// The weight as (window, c), so that the channels of a tap are contiguous.
template <class T>
std::shared_ptr<T> packed_taps(const T* weight, Index c, Index area) {
  auto packed = pooled_buffer<T>(c * area);
  T* const to = packed.get();
  for (Index k = 0; k < c; ++k)
    for (Index tap = 0; tap < area; ++tap) to[tap * c + k] = weight[k * area + tap];
  return packed;
}

}  // namespace detail

/// y = every channel of x with its own window (cross-correlation).
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> depthwise_conv2d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& weight,
                                                const Window& win) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), oh = win.out_h(h), ow = win.out_w(w);
  Tensor<CpuOf<T>> y(Shape{n, oh, ow, c});
  const auto taps = detail::packed_taps(weight.data(), c, win.area());
  detail::depthwise(x.data(), n, h, w, c, detail::walk_forward(oh, win.kernel_h, win.stride_h, win.pad_h),
                    detail::walk_forward(ow, win.kernel_w, win.stride_w, win.pad_w), win.kernel_w, taps.get(), y.data(),
                    oh, ow);
  return y;
}

/// The adjoint of depthwise_conv2d in x: x of shape `shape` from y.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> depthwise_conv2d_input(const Tensor<CpuOf<T>>& y, const Tensor<CpuOf<T>>& weight,
                                                      const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3];
  Tensor<CpuOf<T>> x(shape);
  const auto taps = detail::packed_taps(weight.data(), c, win.area());
  detail::depthwise(y.data(), n, y.dim(1), y.dim(2), c, detail::walks_back(h, win.kernel_h, win.stride_h, win.pad_h),
                    detail::walks_back(w, win.kernel_w, win.stride_w, win.pad_w), win.kernel_w, taps.get(), x.data(), h,
                    w);
  return x;
}

/// The adjoint of depthwise_conv2d in the weight, whose shape is `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> depthwise_conv2d_weight(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& y,
                                                       const Shape& shape, const Window& win) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), area = win.area();
  const detail::AxisWalk down = detail::walk_forward(y.dim(1), win.kernel_h, win.stride_h, win.pad_h).front(),
                         along = detail::walk_forward(y.dim(2), win.kernel_w, win.stride_w, win.pad_w).front();
  Tensor<CpuOf<T>> weight(shape);
  // Rows are cut into groups, whose sums are added in order at the end; channels into parts, whose sums stay near.
  constexpr Index part = 16 * detail::lanes<T>;
  const Index lines = n * down.count, groups = std::min<Index>(lines, 16), parts = (c + part - 1) / part;
  detail::by_channels<T>(c, [&]<int Lanes>() {
    const Index slots = (c + Lanes - 1) / Lanes * Lanes, size = area * slots;
    const auto sums = pooled_buffer<T>(groups * size);
    parallel_for(groups * parts, [&](Index unit) {
      const Index group = unit / parts, from = unit % parts * part, to = std::min(from + part, c);
      T* const sum = sums.get() + group * size;
      for (Index tap = 0; tap < area; ++tap)
        std::fill(sum + tap * slots + from, sum + tap * slots + std::min(from + part, slots), T(0));
      detail::add_depthwise_weight<T, Lanes>(x.data(), h, w, c, y.data(), down, along, lines * group / groups,
                                             lines * (group + 1) / groups, from, to, sum, slots);
    });
    T* const all = sums.get();
    parallel_pieces(size, 4096, [&](Index begin, Index end) {
      for (Index group = 1; group < groups; ++group)
#pragma omp simd
        for (Index i = begin; i < end; ++i) all[i] += all[group * size + i];
    });
    for (Index k = 0; k < c; ++k) {
      // The last register ends with the last channel, so its slots may end later than its channels.
      const Index slot = k < slots - Lanes ? k : slots - c + k;
      for (Index tap = 0; tap < area; ++tap) weight.data()[k * area + tap] = all[tap * slots + slot];
    }
  });
  return weight;
}

}  // namespace limn::kernel

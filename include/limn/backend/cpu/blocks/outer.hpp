// The gradient of a convolution's weight: the sum, over all positions, of outer products of the output's gradient and
// the window. The order of all additions depends on sizes alone.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/backend/cpu/blocks/windows.hpp"
#include "limn/core/parallel.hpp"

namespace limn::kernel::detail {

/// Two pieces of memory that are needed soon, fetched bit by bit while `calls` blocks compute.
template <class T>
class Ahead {
 public:
  Ahead(const T* first, Index first_count, const T* second, Index second_count, Index calls)
      : first_(first), second_(second), count_(first_count), each_((first_count + second_count + calls - 1) / calls) {}

  /// Where the next block fetches `each()` numbers.
  const T* next() {
    const Index at = std::exchange(done_, done_ + each_);
    return at < count_ ? first_ + at : second_ + (at - count_);
  }
  [[nodiscard]] Index each() const { return each_; }

 private:
  const T *first_, *second_;
  Index count_, each_, done_ = 0;
};

/// A part of the weight's gradient: rows [from, to), taps [first_tap, last_tap) of the windows.
struct WeightPart {
  Index from, to, first_tap, last_tap;
};

/// out[rows][columns] = or, with `add`, += the sum over positions of y (count, k) times their windows, for a part of
/// it.
template <class T>
void add_weight_gradient(const T* y, Index k, Index count, const Windows<T>& windows, const WeightPart& part,
                         Index columns, Ahead<T> ahead, bool add, T* out) {
  // Both factors are copied to where the block reads them one after the other: y once, in columns of a block's width,
  // windows once a tap.
  constexpr Index rows = outer_rows, panel = block_columns<T>;
  const Index depth = windows.depth(), panels = (part.to - part.from + rows - 1) / rows;
  const Index apart = count * rows + lanes<T>;  // not a power of two, which would be the same place of the cache
  const auto left = pooled_buffer<T>(panels * apart);
  const auto right = pooled_buffer<T>(count * panel);
  alignas(vector_bytes) std::array<T, static_cast<std::size_t>(rows * panel)> edge;
  for (Index p = 0; p < count; ++p) {
    const T* in = y + p * k + part.from;
    T* to = left.get() + p * rows;
    for (Index j = part.from; j < part.to; j += rows, in += rows, to += apart) {
      if (j + rows <= part.to)
        std::copy_n(in, rows, to);
      else
        std::fill(std::copy_n(in, part.to - j, to), to + rows, T(0));
    }
  }
  const Index step = (ahead.each() + count - 1) / count;
  for (Index tap = part.first_tap; tap < part.last_tap; ++tap)
    for (Index i = 0; i < depth; i += panel) {
      const Index width = std::min(depth - i, panel), used = std::min(width, columns - tap * depth - i);
      const auto block = width == lanes<T> ? add_outer_products<T, 1> : add_outer_products<T, 2>;
      const T* const* lines = windows.at(tap * count);
      for (Index p = 0; p < count; ++p)
        for (Index v = 0; v < width; v += lanes<T>)
          Register<T>::store(right.get() + p * width + v, Register<T>::load(lines[p] + i + v));
      const T* row = left.get();
      for (Index j = part.from; j < part.to; j += rows, row += apart) {
        const Index used_rows = std::min(rows, part.to - j);
        T* const at = out + j * columns + tap * depth + i;
        const bool whole = used_rows == rows && used == width;
        if (!whole && add)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(at + r * columns, used, edge.data() + r * width);
        block(row, rows, right.get(), width, count, add, whole ? at : edge.data(), whole ? columns : width,
              ahead.next(), step);
        if (!whole)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(edge.data() + r * width, used, at + r * columns);
      }
    }
}

/// out[...] = the sum of `groups` arrays of `size` numbers.
template <class T, class Place>
void sum_groups(const T* sums, Index groups, Index size, const Place& place) {
  parallel_pieces(size, 4096, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      T sum = sums[i];
      for (Index group = 1; group < groups; ++group) sum += sums[group * size + i];
      place(i, sum);
    }
  });
}

/// The same for few channels, whose windows have rows of less than a register: rows of the image stand on the left of
/// the product, where single numbers are read, and y on the right. Lines are copied once, with their padding; nothing
/// else is. k is a multiple of the lanes of a register.
template <class T>
void thin_outer_products(const T* x, Index n, Index h, Index w, Index c, const Window& win, const T* y, Index k,
                         T* out) {
  constexpr Index rows = outer_rows, panel = block_columns<T>, strip = 64;
  const Index out_h = win.out_h(h), out_w = win.out_w(w), row = win.kernel_w * c;
  const Index blocks = (row + rows - 1) / rows, size = win.kernel_h * blocks * rows * k;
  const Index before = win.pad_w * c, line = ((out_w - 1) * win.stride_w + win.kernel_w) * c;
  const Index lines = n * out_h, groups = std::min<Index>(8, lines);
  const auto sums = pooled_buffer<T>(groups * size);
  parallel_for(groups, [&](Index group) {
    T* const sum = sums.get() + group * size;
    std::fill_n(sum, size, T(0));
    const auto padded = pooled_buffer<T>(win.kernel_h * line + rows);
    std::fill_n(padded.get(), win.kernel_h * line + rows, T(0));
    for (Index at = lines * group / groups; at < lines * (group + 1) / groups; ++at) {
      const Index top = at % out_h * win.stride_h - win.pad_h;
      const Index first = std::max<Index>(0, -top), last = std::min(win.kernel_h, h - top);
      if (first >= last) continue;  // the window lies outside the picture
      for (Index ky = first; ky < last; ++ky)
        std::copy_n(x + (at / out_h * h + top + ky) * w * c, std::min(w * c, line - before),
                    padded.get() + ky * line + before);
      for (Index p = 0; p < out_w; p += strip) {
        const T* const of = y + (at * out_w + p) * k;
        const Index count = std::min(strip, out_w - p);
        Ahead<T> ahead(of + count * k, count * k, of, 0, (last - first) * blocks * ((k + panel - 1) / panel));
        const Index step = (ahead.each() + count - 1) / count;
        for (Index j = 0; j < k; j += panel)
          for (Index ky = first; ky < last; ++ky)
            for (Index b = 0; b < blocks; ++b) {
              const auto block = k - j == lanes<T> ? add_outer_products<T, 1> : add_outer_products<T, 2>;
              const T* const left = padded.get() + ky * line + p * win.stride_w * c + b * rows;
              block(left, win.stride_w * c, of + j, k, count, true, sum + (ky * blocks + b) * rows * k + j, k,
                    ahead.next(), step);
            }
      }
    }
  });
  sum_groups(sums.get(), groups, size, [&](Index i, T value) {
    const Index j = i % k, r = i / k % (blocks * rows), ky = i / k / (blocks * rows);
    if (r < row) out[(j * win.kernel_h + ky) * row + r] = value;
  });
}

/// out (k, window) = the sum over positions of y (positions, k) times the windows of x (n, h, w, c) there.
template <class T>
void outer_products(const T* x, Index n, Index h, Index w, Index c, const Window& win, const T* y, Index k, T* out) {
  constexpr Index rows = outer_rows;
  const Index columns = win.area() * c, positions = n * win.out_h(h) * win.out_w(w);
  const bool unfold = win.kernel_w * c % lanes<T> != 0;
  if (unfold && win.kernel_h > 1 && k % lanes<T> == 0) return thin_outer_products(x, n, h, w, c, win, y, k, out);
  const Index taps = unfold ? 1 : win.kernel_h;
  // Work is cut in two ways: a small weight into groups of positions, whose sums are added at the end, a large one into
  // taps and numbers of rows. The fewer parts, the less is copied more than once.
  const Index size = k * columns, steps = (positions + 96) / 128 + (positions < 32),
              strip = (positions + steps - 1) / steps;
  const Index groups = size <= (Index{1} << 18) && steps >= 8 ? 8 : 1;
  const Index blocks = (k + rows - 1) / rows;
  const Index tap_parts = groups > 1 ? 1 : taps;
  const Index row_parts = groups > 1 ? 1 : std::min(blocks, (8 + taps - 1) / taps);
  const auto partial = pooled_buffer<T>(groups > 1 ? groups * size : 0);
  T* const sums = groups > 1 ? partial.get() : out;
  parallel_for(groups * tap_parts * row_parts, [&](Index unit) {
    const Index group = groups > 1 ? unit : 0, tap = unit % tap_parts, part = unit / tap_parts % row_parts;
    const WeightPart of{blocks * part / row_parts * rows, std::min(k, blocks * (part + 1) / row_parts * rows),
                        groups > 1 ? 0 : tap, groups > 1 ? taps : tap + 1};
    const Index begin = steps * group / groups * strip, end = std::min(positions, steps * (group + 1) / groups * strip);
    T* const sum = sums + group * size;
    Windows<T> windows(x, h, w, c, win, win.out_h(h), win.out_w(w), unfold, lanes<T>);
    const Index calls = (of.last_tap - of.first_tap) * ((windows.depth() + block_columns<T> - 1) /
                                                        block_columns<T>)*((of.to - of.from + rows - 1) / rows);
    for (Index first = begin; first < end; first += strip) {
      const Index last = std::min(end, first + strip), next = std::min(end, last + strip);
      windows.locate(first, last);
      const Index x_each = n * h * w * c / positions;
      add_weight_gradient(y + first * k, k, last - first, windows, of, columns,
                          Ahead<T>(y + last * k, (next - last) * k, x + last * x_each, (next - last) * x_each, calls),
                          first > begin, sum);
    }
  });
  if (groups > 1) sum_groups(sums, groups, size, [&](Index i, T sum) { out[i] = sum; });
}

}  // namespace limn::kernel::detail

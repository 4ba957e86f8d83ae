// Bilinear resize of (n, h, w, c), and its adjoint. Positions outside the input are those of its border.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/backend/cpu/blocks/channels.hpp"
#include "limn/core/grid.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Where an output position reads: two input positions and the share of the second.
template <class T>
struct Between {
  Index low, high;
  T share;
};

template <class T>
std::vector<Between<T>> between(Index in, Index out, const Sampling& sampling) {
  std::vector<Between<T>> table(static_cast<std::size_t>(out));
  for (Index i = 0; i < out; ++i) {
    const double at =
        std::clamp(sampling.first + sampling.step * static_cast<double>(i), 0.0, static_cast<double>(in - 1));
    const auto low = static_cast<Index>(at);
    table[static_cast<std::size_t>(i)] = {low, std::min(low + 1, in - 1),
                                          static_cast<T>(at - static_cast<double>(low))};
  }
  return table;
}

/// A row of the result, out (columns, c), between two rows (w, c) of the input; `share` is that of the second. The last
/// register takes channels of the one before along.
template <class T, int Lanes>
void resize_row(const T* top, const T* bottom, T share, const std::vector<Between<T>>& columns, Index c, T* out) {
  using V = Channels<T, Lanes>;
  for (const auto& column : columns) {
    const Index l = column.low * c, r = column.high * c;
    for (Index from = 0; from < c; from += Lanes) {
      const Index k = std::min(from, c - Lanes);
      const auto a = V::load(top + l + k), b = V::load(bottom + l + k);
      const auto above = a + column.share * (V::load(top + r + k) - a);
      const auto below = b + column.share * (V::load(bottom + r + k) - b);
      V::store(out + k, above + share * (below - above));
    }
    out += c;
  }
}

}  // namespace detail

template <class T>
[[nodiscard]] Tensor<CpuOf<T>> resize_bilinear(const Tensor<CpuOf<T>>& x, Index out_h, Index out_w,
                                               const Sampling& sample_rows, const Sampling& sample_columns) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  Tensor<CpuOf<T>> y(Shape{n, out_h, out_w, c});
  const auto rows = detail::between<T>(h, out_h, sample_rows), columns = detail::between<T>(w, out_w, sample_columns);
  detail::by_channels<T>(c, [&]<int Lanes>() {
    parallel_for(n * out_h, [&](Index line) {
      const auto& row = rows[static_cast<std::size_t>(line % out_h)];
      const T* const image = x.data() + line / out_h * h * w * c;
      detail::resize_row<T, Lanes>(image + row.low * w * c, image + row.high * w * c, row.share, columns, c,
                                   y.data() + line * out_w * c);
    });
  });
  return y;
}

/// The adjoint of resize_bilinear: x of shape `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> resize_bilinear_input(const Tensor<CpuOf<T>>& y, const Shape& shape,
                                                     const Sampling& sample_rows, const Sampling& sample_columns) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], out_h = y.dim(1), out_w = y.dim(2);
  Tensor<CpuOf<T>> x(shape, T(0));
  const auto rows = detail::between<T>(h, out_h, sample_rows), columns = detail::between<T>(w, out_w, sample_columns);
  parallel_for(n, [&](Index image) {
    const T* in = y.data() + image * out_h * out_w * c;
    for (const auto& row : rows) {
      T* const top = x.data() + (image * h + row.low) * w * c;
      T* const bottom = x.data() + (image * h + row.high) * w * c;
      for (const auto& column : columns) {
        const Index l = column.low * c, r = column.high * c;
        const T left = T(1) - column.share, right = column.share, up = T(1) - row.share, down = row.share;
        // The four places may be one, at a border; channels never meet.
#pragma omp simd
        for (Index k = 0; k < c; ++k) {
          top[l + k] += up * left * in[k];
          top[r + k] += up * right * in[k];
          bottom[l + k] += down * left * in[k];
          bottom[r + k] += down * right * in[k];
        }
        in += c;
      }
    }
  });
  return x;
}

}  // namespace limn::kernel

// The extents of a tensor, rank 1 to 5, row-major. Images are (batch, height, width, channels),
// volumes (batch, depth, height, width, channels).
#pragma once

#include <array>
#include <initializer_list>
#include <string>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"

namespace limn {

class Shape {
 public:
  static constexpr int max_rank = 5;

  constexpr Shape() = default;  ///< the shape of an empty tensor: rank 0, no elements
  constexpr Shape(std::initializer_list<Index> extents) {
    if (extents.size() > max_rank) throw ShapeError("a tensor has at most 5 dimensions");
    for (Index extent : extents) push(extent);
  }

  /// Appends a dimension.
  constexpr void push(Index extent) {
    if (rank_ == max_rank) throw ShapeError("a tensor has at most 5 dimensions");
    if (extent < 0) throw ShapeError("a dimension of a tensor cannot be negative");
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }

  [[nodiscard]] constexpr int rank() const { return rank_; }
  [[nodiscard]] constexpr Index operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  constexpr Index& operator[](int axis) { return extents_[static_cast<std::size_t>(axis)]; }
  [[nodiscard]] constexpr Index back() const { return extents_[static_cast<std::size_t>(rank_ - 1)]; }

  /// Number of elements; 0 for the empty shape.
  [[nodiscard]] constexpr Index size() const {
    Index n = rank_ > 0 ? 1 : 0;
    for (int i = 0; i < rank_; ++i) n *= (*this)[i];
    return n;
  }
  /// Product of the extents of axes [first, last).
  [[nodiscard]] constexpr Index product(int first, int last) const {
    Index n = 1;
    for (int i = first; i < last; ++i) n *= (*this)[i];
    return n;
  }

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  std::array<Index, max_rank> extents_{};
  int rank_ = 0;
};

/// "(8, 64, 64, 3)"
[[nodiscard]] inline std::string to_string(const Shape& shape) {
  std::string out = "(";
  for (int i = 0; i < shape.rank(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}

template <class Stream>
requires requires(Stream& s) { s << std::string{}; }
Stream& operator<<(Stream& out, const Shape& shape) {
  out << to_string(shape);
  return out;
}

/// An axis may be counted from the end: -1 is the last one.
[[nodiscard]] inline int checked_axis(const char* what, int axis, const Shape& shape) {
  const int a = axis < 0 ? axis + shape.rank() : axis;
  require<ShapeError>(a >= 0 && a < shape.rank(), what, ": axis ", axis, " of a tensor of shape ", shape);
  return a;
}

/// The shape that results when extents of 1 (and a vector along the last axis, or a single number) are repeated.
/// Anything else that differs is refused: shapes are never made to fit silently.
[[nodiscard]] inline Shape broadcast(const char* what, const Shape& a, const Shape& b) {
  if (a == b) return a;
  if (b.size() == 1 && b.rank() == 1) return a;
  if (a.size() == 1 && a.rank() == 1) return b;
  if (b.rank() == 1 && a.rank() > 1 && b[0] == a.back()) return a;
  if (a.rank() == 1 && b.rank() > 1 && a[0] == b.back()) return b;
  bool fits = a.rank() == b.rank();
  Shape out = a;
  for (int i = 0; fits && i < a.rank(); ++i) {
    fits = a[i] == b[i] || a[i] == 1 || b[i] == 1;
    out[i] = a[i] == 1 ? b[i] : a[i];
  }
  require<ShapeError>(fits, what, ": shapes ", a, " and ", b, " do not go together");
  return out;
}

/// How a square or rectangular window moves over an image: convolution, pooling, unfolding.
struct Window {
  Index kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;

  static constexpr Window square(Index kernel, Index stride = 1, Index pad = 0) {
    return {kernel, kernel, stride, stride, pad, pad};
  }
  [[nodiscard]] constexpr Index out_h(Index h) const { return extent(h, kernel_h, stride_h, pad_h); }
  [[nodiscard]] constexpr Index out_w(Index w) const { return extent(w, kernel_w, stride_w, pad_w); }
  [[nodiscard]] constexpr Index area() const { return kernel_h * kernel_w; }
  [[nodiscard]] constexpr bool pointwise() const {
    return area() == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0;
  }
  friend constexpr bool operator==(const Window&, const Window&) = default;

 private:
  static constexpr Index extent(Index in, Index kernel, Index stride, Index pad) {
    return in + 2 * pad < kernel ? 0 : (in + 2 * pad - kernel) / stride + 1;
  }
};

/// How a box moves over a volume (batch, depth, height, width, channels): a window in every slice, and how many slices.
struct Window3d {
  Window plane = {};
  Index kernel_d = 1, stride_d = 1, pad_d = 0;

  static constexpr Window3d cube(Index kernel, Index stride = 1, Index pad = 0) {
    return {Window::square(kernel, stride, pad), kernel, stride, pad};
  }
  /// Over the depth alone, as rows of (batch, depth, anything, channels).
  [[nodiscard]] constexpr Window along_depth() const { return {kernel_d, 1, stride_d, 1, pad_d, 0}; }
  [[nodiscard]] constexpr Index out_d(Index d) const { return along_depth().out_h(d); }
  [[nodiscard]] constexpr Index out_h(Index h) const { return plane.out_h(h); }
  [[nodiscard]] constexpr Index out_w(Index w) const { return plane.out_w(w); }
  [[nodiscard]] constexpr Index volume() const { return kernel_d * plane.area(); }
  friend constexpr bool operator==(const Window3d&, const Window3d&) = default;
};

}  // namespace limn

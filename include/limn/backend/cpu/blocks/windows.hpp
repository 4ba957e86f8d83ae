// The windows of a convolution as pointers into the image: in NHWC a row of a window is kernel_w * c contiguous
// numbers, so nothing is unfolded but the rows that hang over the edge.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/core/memory.hpp"
#include "limn/core/shape.hpp"

namespace limn::kernel::detail {

/// The windows of a strip of output positions, cut into taps: pieces of `depth` contiguous numbers. Usually a tap is a
/// row of the window; where rows are too short to be worth a loop, the window is unfolded and is one tap.
template <class T>
class Windows {
 public:
  /// x (n, h, w, c), read in windows for an output of out_h x out_w. Unfolded windows are padded with zeros to a
  /// multiple of `unfolded_multiple`.
  Windows(const T* x, Index h, Index w, Index c, const Window& win, Index out_h, Index out_w, bool unfold,
          Index unfolded_multiple = 1)
      : x_(x), h_(h), w_(w), c_(c), out_h_(out_h), out_w_(out_w), win_(win), unfold_(unfold), row_(win.kernel_w * c) {
    const Index columns = win.area() * c;
    depth_ = unfold ? (columns + unfolded_multiple - 1) / unfolded_multiple * unfolded_multiple : row_;
  }

  [[nodiscard]] Index taps() const { return unfold_ ? 1 : win_.kernel_h; }
  [[nodiscard]] Index depth() const { return depth_; }

  /// Finds the windows of output positions [first, last), counted over n, out_h, out_w. Tap t of position first + i is
  /// at(t)[i] when `group` is 0; otherwise positions come in groups, the taps of a group one after the other (the last
  /// group is filled up with its last window).
  void locate(Index first, Index last, Index group = 0) {
    const Index count = last - first, in_group = group == 0 ? count : group;
    groups_ = (count + in_group - 1) / in_group;
    pointers_.resize(static_cast<std::size_t>(groups_ * in_group * taps()));
    const Index oh = out_h_, ow = out_w_;
    reserve(count, ow);
    Index n = first / (oh * ow), oy = first / ow % oh, ox = first % ow;
    const T** to = pointers_.data();
    for (Index i = 0, in = 0; i < count; ++i, ++to) {
      const Index y = oy * win_.stride_h - win_.pad_h, x = ox * win_.stride_w - win_.pad_w;
      const T* image = x_ + n * h_ * w_ * c_;
      if (unfold_) {
        *to = scratch_end_;
        for (Index ky = 0; ky < win_.kernel_h; ++ky) copy_row(image, y + ky, x);
        scratch_end_ = std::fill_n(scratch_end_, depth_ - win_.area() * c_, T(0));
      } else if (y >= 0 && y + win_.kernel_h <= h_ && !hangs_over(x)) {
        const T* at = image + (y * w_ + x) * c_;
        for (Index ky = 0; ky < win_.kernel_h; ++ky, at += w_ * c_) to[ky * in_group] = at;
      } else {
        for (Index ky = 0; ky < win_.kernel_h; ++ky) to[ky * in_group] = row(image, y + ky, x);
      }
      if (++in == in_group) {
        in = 0;
        to += in_group * (taps() - 1);
      }
      if (++ox == ow) {
        ox = 0;
        if (++oy == oh) oy = 0, ++n;
      }
    }
    for (Index i = count; i < groups_ * in_group; ++i)
      for (Index t = 0; t < taps(); ++t) {
        const T** to = pointers_.data() + ((groups_ - 1) * taps() + t) * in_group + i % in_group;
        *to = *(to - 1);
      }
  }

  [[nodiscard]] const T* const* at(Index index) const { return pointers_.data() + index; }

 private:
  /// Room for all rows that must be copied, and a row of zeros for those that lie above or below the image.
  void reserve(Index count, Index ow) {
    Index copied = 0;  // positions of a line of the output whose windows hang over the left or right edge
    for (Index ox = 0; ox < ow; ++ox) copied += hangs_over(ox * win_.stride_w - win_.pad_w);
    const Index rows = unfold_ ? 0 : std::min(count, copied * (count / ow + 2)) * win_.kernel_h;
    const Index size = row_ + (unfold_ ? count * depth_ : rows * row_);
    if (size > capacity_) {
      scratch_ = pooled_buffer<T>(size);
      capacity_ = size;
    }
    std::fill_n(scratch_.get(), row_, T(0));
    scratch_end_ = scratch_.get() + row_;
  }

  [[nodiscard]] bool hangs_over(Index x) const { return x < 0 || x + win_.kernel_w > w_; }

  const T* row(const T* image, Index y, Index x) {
    if (y < 0 || y >= h_) return scratch_.get();
    if (!hangs_over(x)) return image + (y * w_ + x) * c_;
    const T* copy = scratch_end_;
    copy_row(image, y, x);
    return copy;
  }

  void copy_row(const T* image, Index y, Index x) {
    T* const end = scratch_end_ + row_;
    if (y >= 0 && y < h_ && !hangs_over(x) && row_ >= lanes<T>) {  // by registers, the last of which overlaps
      const T* const from = image + (y * w_ + x) * c_;
      for (Index i = 0; i < row_; i += lanes<T>) {
        const Index at = std::min(i, row_ - lanes<T>);
        Register<T>::store(scratch_end_ + at, Register<T>::load(from + at));
      }
      scratch_end_ = end;
      return;
    }
    if (y >= 0 && y < h_) {
      const Index from = std::clamp<Index>(x, 0, w_), to = std::clamp<Index>(x + win_.kernel_w, 0, w_);
      scratch_end_ = std::fill_n(scratch_end_, std::min((from - x) * c_, row_), T(0));
      scratch_end_ = std::copy(image + (y * w_ + from) * c_, image + (y * w_ + std::max(from, to)) * c_, scratch_end_);
    }
    scratch_end_ = std::fill_n(scratch_end_, end - scratch_end_, T(0));
  }

  const T* x_;
  Index h_, w_, c_, out_h_, out_w_;
  Window win_;
  bool unfold_;
  Index row_, depth_ = 0, groups_ = 0, capacity_ = 0;
  std::vector<const T*> pointers_;
  std::shared_ptr<T> scratch_;
  T* scratch_end_ = nullptr;
};

}  // namespace limn::kernel::detail

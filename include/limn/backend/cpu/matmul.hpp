// Matrix products on Eigen, cut into strips of rows of a fixed height: every strip is one serial Eigen product, so the
// result does not depend on the number of threads.
#pragma once

#include <Eigen/Core>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

enum class Layout { plain, transposed };

/// c = op(a) op(b), or c += ... when `add`. c is rows x columns, `inner` numbers are summed; strides are the distances
/// of rows in memory. All products of the back end go through here, so that Eigen's kernels are compiled once.
template <class T>
[[gnu::noinline]] void gemm(Layout layout_a, Layout layout_b, Index rows, Index columns, Index inner, const T* a,
                            Index stride_a, const T* b, Index stride_b, T* c, Index stride_c, bool add) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
  using Stride = Eigen::OuterStride<>;
  using PlainIn = Eigen::Map<const Rows, Eigen::Unaligned, Stride>;
  using TransposedIn = Eigen::Map<const Columns, Eigen::Unaligned, Stride>;  // a row-major matrix, read transposed
  Eigen::Map<Rows, Eigen::Unaligned, Stride> out(c, rows, columns, Stride(stride_c));
  if (!add) out.setZero();
  const bool ta = layout_a == Layout::transposed, tb = layout_b == Layout::transposed;
  if (ta && tb) {  // rare: copy one operand the other way round instead of compiling a fourth product
    const Rows turned = TransposedIn(b, inner, columns, Stride(stride_b));
    gemm(layout_a, Layout::plain, rows, columns, inner, a, stride_a, turned.data(), columns, c, stride_c, true);
  } else if (ta) {
    out.noalias() += TransposedIn(a, rows, inner, Stride(stride_a)) * PlainIn(b, inner, columns, Stride(stride_b));
  } else if (tb) {
    out.noalias() += PlainIn(a, rows, inner, Stride(stride_a)) * TransposedIn(b, inner, columns, Stride(stride_b));
  } else {
    out.noalias() += PlainIn(a, rows, inner, Stride(stride_a)) * PlainIn(b, inner, columns, Stride(stride_b));
  }
}

}  // namespace detail

/// op(a) op(b), where op transposes when asked. a and b are matrices.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> matmul(const Tensor<CpuOf<T>>& a, bool transpose_a, const Tensor<CpuOf<T>>& b,
                                      bool transpose_b) {
  const Index rows = a.dim(transpose_a ? 1 : 0), inner = a.dim(transpose_a ? 0 : 1),
              columns = b.dim(transpose_b ? 0 : 1);
  Tensor<CpuOf<T>> out(Shape{rows, columns});
  if (out.size() == 0) return out;
  if (inner == 0) {
    out.fill(T(0));
    return out;
  }
  using detail::Layout;
  parallel_pieces(rows, 192, [&](Index begin, Index end) {
    detail::gemm(transpose_a ? Layout::transposed : Layout::plain, transpose_b ? Layout::transposed : Layout::plain,
                 end - begin, columns, inner, a.data() + (transpose_a ? begin : begin * inner), a.dim(1), b.data(),
                 b.dim(1), out.data() + begin * columns, columns, false);
  });
  return out;
}

}  // namespace limn::kernel

// Matrix products on Eigen, cut into strips of rows of a fixed height: every strip is one serial Eigen product, so the
// result does not depend on the number of threads.
#pragma once

#include <Eigen/Core>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// c = op(a) b. c is rows x columns, `inner` numbers are summed; strides are the distances of rows in memory. All
/// products of the back end go through here, so that Eigen's kernels are compiled once.
template <class T>
[[gnu::noinline]] void gemm(bool transpose_a, Index rows, Index columns, Index inner, const T* a, Index stride_a,
                            const T* b, T* c) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
  using Stride = Eigen::OuterStride<>;
  const Eigen::Map<const Rows> right(b, inner, columns);
  Eigen::Map<Rows> out(c, rows, columns);
  out.setZero();
  if (transpose_a) {  // a row-major matrix, read transposed
    out.noalias() += Eigen::Map<const Columns, Eigen::Unaligned, Stride>(a, rows, inner, Stride(stride_a)) * right;
  } else {
    out.noalias() += Eigen::Map<const Rows, Eigen::Unaligned, Stride>(a, rows, inner, Stride(stride_a)) * right;
  }
}

/// The transpose of a matrix (rows, columns).
template <class T>
Tensor<CpuOf<T>> transposed(const Tensor<CpuOf<T>>& x) {
  const Index rows = x.dim(0), columns = x.dim(1);
  Tensor<CpuOf<T>> out(Shape{columns, rows});
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) out.data()[j * rows + i] = x.data()[i * columns + j];
  return out;
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
  // A b that has to be transposed is, as a rule, a weight: small beside a.
  const Tensor<CpuOf<T>> right = transpose_b ? detail::transposed(b) : b;
  parallel_pieces(rows, 192, [&](Index begin, Index end) {
    detail::gemm(transpose_a, end - begin, columns, inner, a.data() + (transpose_a ? begin : begin * inner), a.dim(1),
                 right.data(), out.data() + begin * columns);
  });
  return out;
}

}  // namespace limn::kernel

// Matrix products: on the blocks of the convolutions, of which they are those with a window of one element. Products
// with a few vectors, which would leave most of a block empty, are Eigen's. Work is cut by sizes alone, so the result
// does not depend on the number of threads.
#pragma once

#include <Eigen/Core>

#include "limn/backend/cpu/blocks/outer.hpp"
#include "limn/backend/cpu/blocks/product.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// The transpose of a matrix (rows, columns).
template <class T>
Tensor<CpuOf<T>> transposed(const Tensor<CpuOf<T>>& x) {
  const Index rows = x.dim(0), columns = x.dim(1);
  Tensor<CpuOf<T>> out(Shape{columns, rows});
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) out.data()[j * rows + i] = x.data()[i * columns + j];
  return out;
}

/// y = matrix x, or its transpose times x; the matrix has rows x columns numbers.
template <class T>
[[gnu::noinline]] void times_vector(bool transpose, Index rows, Index columns, const T* matrix, const T* x, T* y) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  const Eigen::Map<const Matrix> m(matrix, rows, columns);
  if (transpose)
    Eigen::Map<Vector>(y, columns).noalias() = m.transpose() * Eigen::Map<const Vector>(x, rows);
  else
    Eigen::Map<Vector>(y, rows).noalias() = m * Eigen::Map<const Vector>(x, columns);
}

/// Up to so many vectors are multiplied one by one.
inline constexpr Index few_vectors = 4;

}  // namespace detail

/// op(a) op(b), where op transposes when asked. a and b are matrices.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> matmul(const Tensor<CpuOf<T>>& a, bool transpose_a, const Tensor<CpuOf<T>>& b,
                                      bool transpose_b) {
  using detail::transposed;
  const Index rows = a.dim(transpose_a ? 1 : 0), inner = a.dim(transpose_a ? 0 : 1),
              columns = b.dim(transpose_b ? 0 : 1);
  Tensor<CpuOf<T>> out(Shape{rows, columns});
  if (out.size() == 0) return out;
  if (inner == 0) {
    out.fill(T(0));
    return out;
  }
  if (!transpose_a && columns <= detail::few_vectors) {
    const Tensor<CpuOf<T>> vectors = transpose_b ? b : transposed(b);
    parallel_pieces(rows, 4096, [&](Index begin, Index end) {
      const auto y = pooled_buffer<T>(end - begin);
      for (Index j = 0; j < columns; ++j) {
        detail::times_vector(false, end - begin, inner, a.data() + begin * inner, vectors.data() + j * inner, y.get());
        for (Index i = begin; i < end; ++i) out.data()[i * columns + j] = y.get()[i - begin];
      }
    });
  } else if (!transpose_b && rows <= detail::few_vectors) {
    const Tensor<CpuOf<T>> vectors = transpose_a ? transposed(a) : a;
    for (Index i = 0; i < rows; ++i)
      detail::times_vector(true, inner, columns, b.data(), vectors.data() + i * inner, out.data() + i * columns);
  } else if (transpose_a) {
    const Tensor<CpuOf<T>> right = transpose_b ? transposed(b) : b;
    detail::outer_products<T>(right.data(), 1, inner, 1, columns, Window{}, a.data(), rows, out.data());
  } else {
    detail::convolve<T>(a.data(), 1, rows, 1, inner, Window{}, {rows, 1},
                        transpose_b ? detail::transposed_panels(b.data(), inner, columns)
                                    : detail::panels_of_taps(b.data(), inner, 1, columns, {0}),
                        {}, out.data());
  }
  return out;
}

}  // namespace limn::kernel

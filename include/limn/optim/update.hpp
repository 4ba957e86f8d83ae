// The update rules, on plain numbers. Each takes one step of one parameter, over all threads.
#pragma once

#include <cmath>
#include <vector>

#include "limn/core/parallel.hpp"

namespace limn::detail {

/// A piece of every array fits in the second-level cache, so that several passes over it read memory once.
inline constexpr Index update_piece = 8192;

/// `velocity` is null without momentum.
template <class T>
void sgd_update(T* weight, const T* gradient, T* velocity, Index count, T lr, T momentum, T decay, bool nesterov) {
  parallel_pieces(count, update_piece, [=](Index begin, Index end) {
    if (velocity == nullptr) {
#pragma omp simd
      for (Index i = begin; i < end; ++i) weight[i] -= lr * (gradient[i] + decay * weight[i]);
      return;
    }
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
      const T d = gradient[i] + decay * weight[i];
      const T v = momentum * velocity[i] + d;
      velocity[i] = v;
      weight[i] -= lr * (nesterov ? d + momentum * v : v);
    }
  });
}

template <class T>
struct AdamNumbers {
  T keep1, fresh1, keep2, fresh2;  ///< beta1, 1 - beta1, beta2, 1 - beta2
  T rate;                          ///< lr / (1 - beta1^t)
  T scale;                         ///< sqrt(1 - beta2^t)
  T eps, decay, shrink;            ///< shrink: 1 - lr * weight_decay where decoupled, else 1
};

template <class T>
void adam_update(T* weight, const T* gradient, T* mean, T* square, Index count, const AdamNumbers<T>& n) {
  parallel_pieces(count, update_piece, [=](Index begin, Index end) {
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
      const T d = gradient[i] + n.decay * weight[i];
      mean[i] = n.keep1 * mean[i] + n.fresh1 * d;
      square[i] = n.keep2 * square[i] + n.fresh2 * d * d;
      weight[i] = n.shrink * weight[i] - n.rate * mean[i] / (std::sqrt(square[i]) / n.scale + n.eps);
    }
  });
}

/// Sum of squares. The order of the additions does not depend on the number of threads.
template <class T>
double squared_norm(const T* values, Index count) {
  std::vector<double> sums(static_cast<std::size_t>((count + update_piece - 1) / update_piece));
  parallel_pieces(count, update_piece, [&](Index begin, Index end) {
    const T* const x = values;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index i = begin; i < end; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    sums[static_cast<std::size_t>(begin / update_piece)] = sum;
  });
  double sum = 0;
  for (double piece : sums) sum += piece;
  return sum;
}

}  // namespace limn::detail

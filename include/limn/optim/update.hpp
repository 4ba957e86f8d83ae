// The update rules, on plain numbers. Each takes one step of one parameter, over all threads.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "limn/core/parallel.hpp"

namespace limn::detail {

/// A piece of every array fits in the second-level cache, so that several passes over it read memory once.
inline constexpr Index update_piece = 8192;

template <class T>
using Numbers = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstNumbers = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

/// `velocity` is null without momentum.
template <class T>
void sgd_update(T* weight, const T* gradient, T* velocity, Index count, T lr, T momentum, T decay, bool nesterov) {
  parallel_pieces(count, update_piece, [=](Index begin, Index end) {
    Numbers<T> w(weight + begin, end - begin);
    const auto d = ConstNumbers<T>(gradient + begin, end - begin) + decay * w;
    if (velocity == nullptr) {
      w -= lr * d;
      return;
    }
    Numbers<T> v(velocity + begin, end - begin);
    v = momentum * v + d;
    if (nesterov) {
      w -= lr * (d + momentum * v);
    } else {
      w -= lr * v;
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
    Numbers<T> w(weight + begin, end - begin), m(mean + begin, end - begin), v(square + begin, end - begin);
    const auto d = ConstNumbers<T>(gradient + begin, end - begin) + n.decay * w;
    m = n.keep1 * m + n.fresh1 * d;
    v = n.keep2 * v + n.fresh2 * d.square();
    w = n.shrink * w - n.rate * m / (v.sqrt() / n.scale + n.eps);
  });
}

/// Sum of squares. The order of the additions does not depend on the number of threads.
template <class T>
double squared_norm(const T* values, Index count) {
  const Index pieces = (count + update_piece - 1) / update_piece;
  Eigen::ArrayXd sums = Eigen::ArrayXd::Zero(pieces);
  parallel_pieces(count, update_piece, [&](Index begin, Index end) {
    sums[begin / update_piece] = ConstNumbers<T>(values + begin, end - begin).template cast<double>().square().sum();
  });
  double sum = 0;
  for (Index i = 0; i < pieces; ++i) sum += sums[i];
  return sum;
}

}  // namespace limn::detail

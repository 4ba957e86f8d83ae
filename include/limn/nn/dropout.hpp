// Dropout (Srivastava et al. 2014).
#pragma once

#include "limn/nn/run.hpp"
#include "limn/nn/shapes.hpp"

namespace limn {

namespace detail {
/// 0 with probability `rate`, else 1 / (1 - rate); element by element from the stream.
template <Backend B>
[[nodiscard, gnu::noinline]] Tensor<B> dropout_mask(const Shape& shape, double rate, Random random) {
  Tensor<B> out(shape);
  const auto kept = static_cast<typename B::scalar>(1 / (1 - rate));
  const double limit = rate * 4294967296.0;
  for (auto& v : out.span()) v = static_cast<double>(random()) < limit ? 0 : kept;
  return out;
}
}  // namespace detail

/// In training, and where Run::dropping says so, every number is 0 with probability `rate` and otherwise divided by 1 -
/// rate; else nothing happens. What is dropped depends on the seed of the pass (Run::seed) and the layer's turn in it
/// alone.
template <Backend B>
struct Dropout {
  double rate = .5;
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return in; }

  /// Throws OptionError unless 0 <= rate < 1.
  Var<B> operator()(const Var<B>& x, auto& run) const {
    require<OptionError>(rate >= 0 && rate < 1, "dropout: rate must be at least 0 and below 1, got ", rate);
    if (!(run.training || run.dropping) || rate == 0) return x;
    return x * Var<B>(detail::dropout_mask<B>(x.shape(), rate, run.random()));
  }
};

}  // namespace limn

// What is done with the result of a product before it leaves the cache.
#pragma once

#include "limn/backend/cpu/blocks/block.hpp"

namespace limn::kernel {

/// y = relu(scale * product + shift + add): scale and shift per column, `add` of y's shape; what is null is left out.
template <class T>
struct Epilogue {
  const T *scale = nullptr, *shift = nullptr, *add = nullptr;
  bool relu = false;

  [[nodiscard]] bool empty() const { return scale == nullptr && shift == nullptr && add == nullptr && !relu; }
  /// For the columns from `column` on, at the element `at` of y. V: a number or a register.
  template <class V, class Load>
  [[nodiscard]] V operator()(V value, Index column, Index at, const Load& load) const {
    if (scale != nullptr) value *= load(scale + column);
    if (shift != nullptr) value += load(shift + column);
    if (add != nullptr) value += load(add + at);
    if (relu) value = value < V{} ? V{} : value;  // NaN stays NaN
    return value;
  }
};

namespace detail {
/// For rows [begin, end) of y (rows, k) and the columns [column, column + count).
template <class T>
[[gnu::noinline]] void finish_rows(const Epilogue<T>& finish, T* y, Index k, Index begin, Index end, Index column,
                                   Index count) {
  using R = Register<T>;
  for (Index r = begin; r < end; ++r) {
    T* const row = y + r * k;
    Index j = column;
    for (; j + lanes<T> <= column + count; j += lanes<T>)
      R::store(row + j, finish(R::load(row + j), j, r * k + j, R::load));
    for (; j < column + count; ++j) row[j] = finish(row[j], j, r * k + j, [](const T* at) { return *at; });
  }
}
}  // namespace detail

}  // namespace limn::kernel

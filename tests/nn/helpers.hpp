// What the tests of networks share: tensors of random numbers, and comparisons of tensors.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "limn/core/random.hpp"
#include "limn/core/tensor.hpp"

namespace limn::testing {

/// Standard normal numbers.
template <Backend B>
Tensor<B> random_tensor(const Shape& shape, const std::string& key) {
  Random random(Seed{11}, key);
  Tensor<B> out(shape);
  for (auto& v : out.span()) v = static_cast<typename B::scalar>(random.normal());
  return out;
}

template <Backend B>
bool same_bits(const Tensor<B>& a, const Tensor<B>& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

/// Largest |a - b| / max(1, |b|); infinite where shapes differ, NaN where a number is one.
template <Backend B>
double difference(const Tensor<B>& a, const Tensor<B>& b) {
  if (!(a.shape() == b.shape())) return INFINITY;
  double worst = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
    const double d = std::abs(x - y) / std::max(1.0, std::abs(y));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

/// One picture of a batch, as a batch of one.
template <Backend B>
Tensor<B> picture(const Tensor<B>& batch, Index i) {
  Shape shape = batch.shape();
  shape[0] = 1;
  return {shape,
          std::span<const typename B::scalar>(batch.data() + i * shape.size(), static_cast<std::size_t>(shape.size()))};
}

/// What an exception says; "no error" if there was none.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace limn::testing

// What a layer owns: parameters, which are trained, and buffers, which are not. Both are plain values: copying a layer
// copies its numbers.
#pragma once

#include <cstdint>
#include <utility>

#include "limn/autograd/var.hpp"

namespace limn {

/// A trained tensor: a variable of which gradients can be asked, unless it is frozen.
template <Backend B>
class Parameter : public Var<B> {
 public:
  [[gnu::noinline]] explicit Parameter(const Shape& shape) : Var<B>(leaf(Tensor<B>(shape, typename B::scalar(0)))) {}
  [[gnu::noinline]] Parameter(const Parameter& other) : Var<B>(other.copy()) {}
  Parameter& operator=(const Parameter& other) {
    if (this != &other) Var<B>::operator=(other.copy());
    return *this;
  }
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(Parameter&&) noexcept = default;
  ~Parameter() = default;

  [[nodiscard]] bool trainable() const { return this->requires_grad(); }
  /// A frozen parameter is a constant: nothing is recorded for it and no optimiser touches it.
  void set_trainable(bool on) {
    if (on != trainable()) bind(on ? leaf(this->value()) : Var<B>(this->value()));
  }
  /// Uses another variable in its place (gradient checks).
  void bind(Var<B> var) { Var<B>::operator=(std::move(var)); }

 private:
  [[nodiscard]] Var<B> copy() const {
    return trainable() ? leaf(this->value().clone()) : Var<B>(this->value().clone());
  }
};

/// A tensor that belongs to a layer but is not trained: running statistics.
template <Backend B>
class Buffer {
 public:
  [[gnu::noinline]] explicit Buffer(const Shape& shape, typename B::scalar value = 0) : value_(shape, value) {}
  Buffer(const Buffer& other) : value_(other.value_.clone()) {}
  Buffer& operator=(const Buffer& other) {
    if (this != &other) value_ = other.value_.clone();
    return *this;
  }
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;
  ~Buffer() = default;

  [[nodiscard]] const Tensor<B>& value() const { return value_; }
  [[nodiscard]] Tensor<B>& value() { return value_; }

 private:
  Tensor<B> value_;
};

/// A whole number that a layer counts.
using Counter = Buffer<CpuOf<std::int64_t>>;

}  // namespace limn

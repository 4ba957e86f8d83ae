// Tensor: numbers of one type in row-major order, reference-counted. Copying a tensor copies the handle, not the
// numbers; a reshape is another handle on the same numbers. Images are (batch, height, width, channels).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "limn/core/backend.hpp"
#include "limn/core/error.hpp"
#include "limn/core/memory.hpp"
#include "limn/core/shape.hpp"

namespace limn {

template <Backend B>
class Tensor {
  static_assert(B::available,
                "limn: the Cuda back end is not part of this version; use limn::Cpu (docs/status says what works)");

 public:
  using scalar = typename B::scalar;

  Tensor() = default;
  // Copies and ends of tensors stand in thousands of places; as calls they make programs quicker to compile.
  [[gnu::noinline]] Tensor(const Tensor&) = default;
  [[gnu::noinline]] Tensor& operator=(const Tensor&) = default;
  Tensor(Tensor&&) noexcept = default;
  [[gnu::noinline]] Tensor& operator=(Tensor&&) noexcept = default;
  [[gnu::noinline]] ~Tensor() = default;
  /// Not initialised.
  [[gnu::noinline]] explicit Tensor(Shape shape) : shape_(shape), buffer_(pooled_buffer<scalar>(shape.size())) {}
  /// All elements equal.
  [[gnu::noinline]] Tensor(Shape shape, scalar value) : Tensor(shape) { fill(value); }
  /// From numbers in row-major order.
  Tensor(Shape shape, std::initializer_list<scalar> values) : Tensor(shape, std::span(values.begin(), values.size())) {}
  Tensor(Shape shape, std::span<const scalar> values) : Tensor(shape) {
    require<ShapeError>(static_cast<Index>(values.size()) == shape.size(), "tensor of shape ", shape, ": expected ",
                        shape.size(), " numbers, got ", values.size());
    std::copy(values.begin(), values.end(), data());
  }
  /// On numbers that somebody else owns; `owner` keeps them alive.
  Tensor(Shape shape, std::shared_ptr<scalar> owner) : shape_(shape), buffer_(std::move(owner)) {}

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] Index size() const { return shape_.size(); }
  [[nodiscard]] int rank() const { return shape_.rank(); }
  [[nodiscard]] Index dim(int axis) const { return shape_[checked_axis("dim", axis, shape_)]; }
  [[nodiscard]] bool empty() const { return buffer_ == nullptr; }

  [[nodiscard]] scalar* data() { return buffer_.get(); }
  [[nodiscard]] const scalar* data() const { return buffer_.get(); }
  [[nodiscard]] std::span<scalar> span() & { return {data(), static_cast<std::size_t>(size())}; }
  [[nodiscard]] std::span<const scalar> span() const& { return {data(), static_cast<std::size_t>(size())}; }
  void span() const&& = delete;  // for (v : f(x).span()) would read a tensor that is gone

  /// One element by its position along every axis. Checked.
  template <class... I>
  [[nodiscard]] const scalar& operator()(I... position) const {
    return data()[offset(position...)];
  }
  template <class... I>
  [[nodiscard]] scalar& operator()(I... position) {
    return data()[offset(position...)];
  }

  /// The number in a tensor of one element.
  [[nodiscard]] scalar item() const {
    require<ShapeError>(size() == 1, "item: expected a tensor of one element, got shape ", shape_);
    return data()[0];
  }

  /// The same numbers under another shape. One extent may be -1: it is worked out.
  [[nodiscard]] Tensor reshape(std::initializer_list<Index> extents) const {
    Index known = 1, open = 0;
    for (Index e : extents) e == -1 ? ++open : known *= e;
    Shape to;
    for (Index e : extents) to.push(e == -1 && known > 0 ? size() / known : std::max<Index>(e, 0));
    require<ShapeError>(open <= 1 && to.size() == size(), "reshape: ", shape_, " has ", size(),
                        " elements and cannot become ", to);
    return reshape(to);
  }
  [[nodiscard]] Tensor reshape(const Shape& to) const {
    require<ShapeError>(to.size() == size(), "reshape: ", shape_, " has ", size(), " elements, ", to, " has ",
                        to.size());
    Tensor out = *this;
    out.shape_ = to;
    return out;
  }

  /// The same numbers in memory of their own.
  [[nodiscard]] Tensor clone() const {
    if (empty()) return {};
    Tensor out(shape_);
    std::copy_n(data(), size(), out.data());
    return out;
  }

  void fill(scalar value) { std::fill_n(data(), size(), value); }
  /// Nobody else holds these numbers.
  [[nodiscard]] bool unique() const { return buffer_.use_count() == 1; }
  /// Keeps the numbers alive for somebody else's view.
  [[nodiscard]] const std::shared_ptr<scalar>& buffer() const { return buffer_; }

 private:
  template <class... I>
  [[nodiscard]] Index offset(I... position) const {
    const Index at[] = {static_cast<Index>(position)...};
    require<ShapeError>(sizeof...(I) == static_cast<std::size_t>(rank()), "element: ", sizeof...(I),
                        " positions given for shape ", shape_);
    Index o = 0;
    for (int i = 0; i < rank(); ++i) {
      require<ShapeError>(at[i] >= 0 && at[i] < shape_[i], "element: position ", at[i], " on axis ", i, " of shape ",
                          shape_);
      o = o * shape_[i] + at[i];
    }
    return o;
  }

  Shape shape_;
  std::shared_ptr<scalar> buffer_;
};

/// The same numbers as another type, in new memory.
template <Backend To, Backend From>
[[nodiscard]] Tensor<To> cast(const Tensor<From>& x) {
  Tensor<To> out(x.shape());
  std::transform(x.data(), x.data() + x.size(), out.data(), [](auto v) { return static_cast<typename To::scalar>(v); });
  return out;
}

}  // namespace limn

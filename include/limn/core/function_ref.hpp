// Things that can be called, without their type: what calls them is a plain function, compiled once and not once per
// caller.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace limn {

namespace detail {  // plain functions, because a lambda without its type would be three
template <class F, class R, class... Arguments>
R call_as(const void* function, Arguments... arguments) {
  return (*static_cast<const F*>(function))(std::forward<Arguments>(arguments)...);
}
template <class F>
void delete_as(const void* function) {
  delete static_cast<const F*>(function);
}
}  // namespace detail

/// A reference, valid while what it refers to lives: for parameters only. For bodies that do much work per call.
template <class Signature>
class FunctionRef;

template <class R, class... Arguments>
class FunctionRef<R(Arguments...)> {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, const F&, Arguments...>)
      FunctionRef(const F& f)  // NOLINT(google-explicit-constructor): functions are given as they are
      : function_(&f), call_(detail::call_as<F, R, Arguments...>) {}

  R operator()(Arguments... arguments) const { return call_(function_, std::forward<Arguments>(arguments)...); }

 private:
  const void* function_;
  R (*call_)(const void* function, Arguments... arguments);
};

/// A function that is kept. Unlike std::function it cannot be copied, so no copy of what it captured is compiled.
template <class Signature>
class OwnedFunction;

template <class R, class... Arguments>
class OwnedFunction<R(Arguments...)> {
 public:
  OwnedFunction() = default;
  OwnedFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::function
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, OwnedFunction> && std::is_invocable_r_v<R, const F&, Arguments...>)
      OwnedFunction(F f)  // NOLINT(google-explicit-constructor): as std::function
      : OwnedFunction(std::move(f), detail::call_as<F, R, Arguments...>) {}
  /// With another way to call it; `call` gets the address of the kept f.
  template <class F>
  OwnedFunction(F f, R (*call)(const void* function, Arguments... arguments))
      : function_(new F(std::move(f))), call_(call), end_(detail::delete_as<F>) {}
  OwnedFunction(OwnedFunction&& other) noexcept
      : function_(std::exchange(other.function_, nullptr)), call_(other.call_), end_(other.end_) {}
  OwnedFunction& operator=(OwnedFunction&& other) noexcept {
    std::swap(function_, other.function_);
    std::swap(call_, other.call_);
    std::swap(end_, other.end_);
    return *this;
  }
  OwnedFunction(const OwnedFunction&) = delete;
  OwnedFunction& operator=(const OwnedFunction&) = delete;
  ~OwnedFunction() {
    if (function_ != nullptr) end_(function_);
  }

  explicit operator bool() const { return function_ != nullptr; }
  R operator()(Arguments... arguments) const { return call_(function_, std::forward<Arguments>(arguments)...); }

 private:
  const void* function_ = nullptr;
  R (*call_)(const void* function, Arguments... arguments) = nullptr;
  void (*end_)(const void* function) = nullptr;
};

}  // namespace limn

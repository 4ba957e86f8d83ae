// A reference to something that can be called, without its type: what calls it is a plain function, compiled once and
// not once per caller. For bodies of loops that do many elements per call.
#pragma once

#include <concepts>
#include <type_traits>

namespace limn {

/// Valid while what it refers to lives: for parameters only.
template <class... Arguments>
class FunctionRef {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::invocable<const F&, Arguments...>)
      FunctionRef(const F& f)  // NOLINT(google-explicit-constructor): functions are given as they are
      : function_(&f),
        call_([](const void* function, Arguments... arguments) { (*static_cast<const F*>(function))(arguments...); }) {}

  void operator()(Arguments... arguments) const { call_(function_, arguments...); }

 private:
  const void* function_;
  void (*call_)(const void* function, Arguments... arguments);
};

}  // namespace limn

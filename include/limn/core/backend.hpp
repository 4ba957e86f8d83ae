// Back ends are tags: where the numbers live and what type they have. A tag chooses every kernel at compile time.
#pragma once

#include <concepts>

#include "limn/core/config.hpp"

namespace limn {

/// The processor, with numbers of type T.
template <class T>
struct CpuOf {
  using scalar = T;
  static constexpr bool available = true;
  static constexpr const char* name = "cpu";
  template <class U>
  using with = CpuOf<U>;
};

/// An NVIDIA GPU. Not part of this version: whoever asks for it gets a compile error that says so.
template <class T>
struct CudaOf {
  using scalar = T;
  static constexpr bool available = false;
  static constexpr const char* name = "cuda";
  template <class U>
  using with = CudaOf<U>;
};

using Cpu = CpuOf<float>;         ///< what networks are trained and run on
using CpuDouble = CpuOf<double>;  ///< what gradients are checked on
using Cuda = CudaOf<float>;

template <class B>
concept Backend = requires {
  typename B::scalar;
  { B::available } -> std::convertible_to<bool>;
  { B::name } -> std::convertible_to<const char*>;
};

/// The same place with whole numbers, for positions.
template <Backend B>
using Positions = typename B::template with<std::int32_t>;

}  // namespace limn

// Shapes of images as they pass through a network, worked out by the compiler or at run time by the same code.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "limn/core/error.hpp"
#include "limn/core/shape.hpp"
#include "limn/nn/fields.hpp"

namespace limn {

/// One image: height, width, channels.
struct Dims {
  Index height = 1, width = 1, channels = 1;
  friend constexpr bool operator==(const Dims&, const Dims&) = default;
};
/// What goes into a network: shapes<Net>(Input{224, 224, 1}).
using Input = Dims;

/// In place of a number of channels: not known to the type.
inline constexpr int any_channels = -1;

namespace detail {

template <class L>
constexpr int in_channels_of() {
  if constexpr (requires { L::in_channels; }) {
    return L::in_channels;
  } else {
    return any_channels;
  }
}
/// What a layer makes of `in` channels, as far as its type says.
template <class L>
constexpr int out_channels_of(int in) {
  if constexpr (requires { L::out_channels; }) {
    return L::out_channels;
  } else {
    return in;
  }
}

/// Not constexpr: when the compiler gets here, its message shows the arguments.
inline void a_layer_does_not_fit(int layer_index, Dims got, int expected_channels) {
  throw ShapeError(text("layer ", layer_index, ": input ", got.height, " x ", got.width, " x ", got.channels,
                        ", expected ", expected_channels, " channels"));
}

template <class Layer>
constexpr Dims shape_after(int layer_index, Dims in) {
  constexpr int expected = in_channels_of<Layer>();
  if (expected != any_channels && in.channels != expected) a_layer_does_not_fit(layer_index, in, expected);
  Dims out = in;
  if constexpr (requires { Layer::shape(in); }) {
    out = Layer::shape(in);
  } else {  // a layer that says nothing keeps the size
    out.channels = out_channels_of<Layer>(static_cast<int>(in.channels));
  }
  if (out.height < 1 || out.width < 1) a_layer_does_not_fit(layer_index, in, expected);
  return out;
}

}  // namespace detail

/// What a layer makes of one image. Errors in constant expressions are compile errors that show the shapes.
template <class L>
constexpr Dims shape_of(Dims in) {
  return detail::shape_after<L>(0, in);
}

/// The shape after every child of a Sequential, or after the layer if it is none.
template <class L>
constexpr auto shapes(Input in) {
  if constexpr (numbers_its_children<L>) {
    return [&]<class... C>(std::type_identity<std::tuple<C...>>) {
      std::array<Dims, sizeof...(C)> out{};
      int i = 0;
      ((out[static_cast<std::size_t>(i)] = in = detail::shape_after<C>(i, in), ++i), ...);
      return out;
    }(std::type_identity<typename L::Children>{});
  } else {
    return std::array<Dims, 1>{shape_of<L>(in)};
  }
}

}  // namespace limn

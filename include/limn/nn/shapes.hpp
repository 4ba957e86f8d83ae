// Shapes of images as they pass through a network, worked out by the compiler or at run time by the same code.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "limn/core/error.hpp"
#include "limn/core/shape.hpp"
#include "limn/nn/fields.hpp"

namespace limn {

/// One image: height, width, channels. A volume has a depth, a signal a height of 1.
struct Dims {
  Index height = 1, width = 1, channels = 1, depth = 1;
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

template <int Channels>
struct ExpectedChannels {
  int none = 0;
};

/// In a constant expression it reads element got.channels of an array of one: the compiler's message about that shows
/// the layer, its index, the channels it got, and in the array's type those it expects.
template <int LayerIndex, class Layer, int Expected>
constexpr int a_layer_does_not_fit(Dims got) {
  if (std::is_constant_evaluated()) {
    constexpr ExpectedChannels<Expected> channels[1]{};
    return channels[got.channels].none;
  }
  throw ShapeError(text("layer ", LayerIndex, ": input ", got.height, " x ", got.width, " x ", got.channels,
                        ", expected ", Expected, " channels"));
}
/// Not constexpr: the compiler's message shows the layer and its index.
template <int LayerIndex, class Layer>
void nothing_is_left_after_a_layer(Dims got) {
  throw ShapeError(text("layer ", LayerIndex, ": nothing is left of its input ", got.height, " x ", got.width));
}

template <int LayerIndex, class Layer>
constexpr Dims shape_after(Dims in) {
  constexpr int expected = in_channels_of<Layer>();
  if (expected != any_channels && in.channels != expected) (void)a_layer_does_not_fit<LayerIndex, Layer, expected>(in);
  Dims out = in;
  if constexpr (requires { Layer::shape(in); }) {
    out = Layer::shape(in);
  } else {  // a layer that says nothing keeps the size
    out.channels = out_channels_of<Layer>(static_cast<int>(in.channels));
  }
  if (out.height < 1 || out.width < 1 || out.depth < 1) nothing_is_left_after_a_layer<LayerIndex, Layer>(in);
  return out;
}

template <class... F, std::size_t... I>
constexpr auto shapes_in_order(const Fields<F...>&, Dims in, std::index_sequence<I...>) {
  std::array<Dims, sizeof...(F)> out{};
  ((out[I] = in = shape_after<static_cast<int>(I), typename F::member>(in)), ...);
  return out;
}

}  // namespace detail

/// What a layer makes of one image. Errors in constant expressions are compile errors that show the shapes.
template <class L>
constexpr Dims shape_of(Dims in) {
  return detail::shape_after<0, L>(in);
}

/// The shape after every child of a Sequential, or after the layer if it is none.
template <class L>
constexpr auto shapes(Input in) {
  if constexpr (requires { L::in_order; }) {
    return detail::shapes_in_order(L::fields, in, std::make_index_sequence<L::fields.count>{});
  } else {
    return std::array<Dims, 1>{shape_of<L>(in)};
  }
}

}  // namespace limn

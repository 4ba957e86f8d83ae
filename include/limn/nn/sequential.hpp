// Layers one after the other. Channels that do not fit are a compile error that names the position and both layers.
#pragma once

#include <cstddef>
#include <utility>

#include "limn/nn/run.hpp"
#include "limn/nn/shapes.hpp"

namespace limn {

/// Layer number Position takes what the layers before it give.
template <int Position, class Layer, int Given, int Expected>
constexpr bool channels_fit = Given == any_channels || Expected == any_channels || Given == Expected;

namespace detail {

template <int Position, int Given>
constexpr bool check_channels() {
  return true;
}
template <int Position, int Given, class First, class... Rest>
constexpr bool check_channels() {
  constexpr bool fits = channels_fit<Position, First, Given, in_channels_of<First>()>;
  static_assert(channels_fit<Position, First, Given, in_channels_of<First>()>,
                "limn: Sequential: this layer does not take the channels that the layer before it gives");
  if constexpr (fits) check_channels<Position + 1, out_channels_of<First>(Given), Rest...>();
  return true;  // so that the message above stays the only one
}

template <int Given, class... L>
constexpr int last_channels() {
  int channels = Given;
  ((channels = out_channels_of<L>(channels)), ...);
  return channels;
}
template <class First, class... Rest>
constexpr int first_channels() {
  return in_channels_of<First>();
}

}  // namespace detail

namespace detail {

/// Layer number I of a Sequential. A base class, as in Fields.
template <std::size_t I, class L>
struct Numbered {
  L layer;
};

template <class Numbers, class... L>
struct Chain;
template <std::size_t... I, class... L>
struct Chain<std::index_sequence<I...>, L...> : Numbered<I, L>... {
  static constexpr auto fields = Fields{field<number_name<I>()>(&Numbered<I, L>::layer)...};

  template <class V>
  V operator()(V x, auto& run) const {
    ((x = run.part(Numbered<I, L>::layer, x)), ...);
    return x;
  }
};

}  // namespace detail

/// Its layers are the fields "0", "1", ...: at<"1">(net).
template <class... Layers>
struct Sequential : detail::Chain<std::index_sequence_for<Layers...>, Layers...> {
  static_assert(sizeof...(Layers) > 0, "limn: Sequential: no layers");
  static_assert(detail::check_channels<0, any_channels, Layers...>());
  static constexpr bool in_order = true;  ///< its fields are layers, called one after the other
  static constexpr int in_channels = detail::first_channels<Layers...>();
  static constexpr int out_channels = detail::last_channels<in_channels, Layers...>();

  static constexpr Dims shape(Dims in) { return shapes<Sequential>(in).back(); }
};

}  // namespace limn

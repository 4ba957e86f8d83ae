// at<"layer4.1.conv2">(net): a part of a network by its path, found by the compiler. A wrong name does not compile.
#pragma once

#include <cstddef>

#include "limn/nn/fields.hpp"

namespace limn {

namespace detail {

constexpr std::size_t dot(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i)
    if (path[i] == '.') return i;
  return path.size();
}

template <Name Path>
constexpr auto head() {
  Name<dot(Path.view()) + 1> out;
  std::copy_n(Path.text, dot(Path.view()), out.text);
  return out;
}
template <Name Path>
constexpr auto tail() {
  constexpr std::size_t skip = dot(Path.view()) + 1;
  Name<sizeof(Path.text) - skip> out;
  std::copy_n(Path.text + skip, sizeof(Path.text) - skip, out.text);
  return out;
}

}  // namespace detail

/// L has a field of this name.
template <class L, Name N>
constexpr bool has_field = requires {
  pointer_to<N>(L::fields);
};

/// The same, also by way of a network that L stands around without owning it (L::Around, layer.around()).
template <class L, Name N>
constexpr bool reaches = has_field<L, N>;
template <class L, Name N>
requires requires { typename L::Around; }
constexpr bool reaches<L, N> = has_field<L, N> || reaches<typename L::Around, N>;

/// The part of `layer` at the path: names from outside to inside, joined by dots.
template <Name Path, class L>
[[nodiscard]] constexpr auto& at(L& layer) {
  using Plain = std::remove_const_t<L>;
  constexpr auto name = detail::head<Path>();
  static_assert(reaches<Plain, name>, "limn: at<path>: the layer has no field of this name");
  if constexpr (has_field<Plain, name>) {
    auto& child = layer.*pointer_to<name>(Plain::fields);
    if constexpr (detail::dot(Path.view()) == Path.view().size()) {
      return child;
    } else {
      return at<detail::tail<Path>()>(child);
    }
  } else if constexpr (reaches<Plain, name>) {
    return at<Path>(layer.around());
  } else {
    return layer;  // so that the message above stays the only one
  }
}

}  // namespace limn

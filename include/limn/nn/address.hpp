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

constexpr std::size_t missing = static_cast<std::size_t>(-1);

/// Which field of L has this name, or `missing`.
template <class L>
constexpr std::size_t find_field(std::string_view name) {
  if constexpr (numbers_its_children<L>) {
    std::size_t number = 0;
    if (name.empty()) return missing;
    for (char c : name) {
      if (c < '0' || c > '9') return missing;
      number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    return number < std::tuple_size_v<typename L::Children> ? number : missing;
  } else {
    std::size_t at = missing, i = 0;
    std::apply([&](const auto&... f) { ((f.name == name ? at = i++ : i++), ...); }, L::fields);
    return at;
  }
}

}  // namespace detail

/// L has a field of this name.
template <class L, Name N>
constexpr bool has_field = detail::find_field<std::remove_cvref_t<L>>(N.view()) != detail::missing;

/// The part of `layer` at the path: names from outside to inside, joined by dots.
template <Name Path, class L>
[[nodiscard]] constexpr auto& at(L& layer) {
  using Plain = std::remove_const_t<L>;
  constexpr auto name = detail::head<Path>();
  static_assert(has_field<Plain, name>, "limn: at<path>: the layer has no field of this name");
  if constexpr (has_field<Plain, name>) {
    constexpr std::size_t i = detail::find_field<Plain>(name.view());
    const auto child = [&]() -> auto& {
      if constexpr (numbers_its_children<Plain>) {
        return std::get<i>(layer.children);
      } else {
        return layer.*(std::get<i>(Plain::fields).pointer);
      }
    };
    if constexpr (detail::dot(Path.view()) == Path.view().size()) {
      return child();
    } else {
      return at<detail::tail<Path>()>(child());
    }
  } else {
    return layer;  // so that the message above stays the only one
  }
}

}  // namespace limn

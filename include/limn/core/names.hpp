// Names as template arguments: field<"conv1">(&Block::conv1), at<"layer4.1.conv2">(net).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace limn {

/// A string that can be a template argument.
template <std::size_t N>
struct Name {
  char text[N]{};

  constexpr Name() = default;
  constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: "name" is a Name
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

/// One named member of a layer.
template <Name N, class Owner, class Member>
struct Field {
  using member = Member;
  static constexpr std::string_view name = N.view();
  Member Owner::*pointer;
};

/// Names a member: static constexpr auto fields = std::tuple{field<"conv1">(&Block::conv1), ...};
template <Name N, class Owner, class Member>
constexpr Field<N, Owner, Member> field(Member Owner::*pointer) {
  return {pointer};
}

}  // namespace limn

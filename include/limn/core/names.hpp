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

/// The name "0", "1", ... of a number.
template <std::size_t Number>
constexpr auto number_name() {
  constexpr std::size_t digits = [] {
    std::size_t count = 1;
    for (std::size_t rest = Number; rest >= 10; rest /= 10) ++count;
    return count;
  }();
  Name<digits + 1> out;
  for (std::size_t at = digits, rest = Number; at-- > 0; rest /= 10) out.text[at] = static_cast<char>('0' + rest % 10);
  return out;
}

/// One name behind the other: joined<"denselayer", number_name<1>()>().
template <Name A, Name B>
constexpr auto joined() {
  Name<sizeof(A.text) + sizeof(B.text) - 1> out;
  std::copy_n(B.text, sizeof(B.text), std::copy_n(A.text, sizeof(A.text) - 1, out.text));
  return out;
}

/// One named member of a layer.
template <Name N, class Owner, class Member>
struct Field {
  using member = Member;
  static constexpr std::string_view name = N.view();
  Member Owner::*pointer;
};

/// Names a member: static constexpr auto fields = Fields{field<"conv1">(&Block::conv1), ...};
template <Name N, class Owner, class Member>
constexpr Field<N, Owner, Member> field(Member Owner::*pointer) {
  return {pointer};
}

/// The named members of a layer, in order. Not a std::tuple, with which a ResNet-18 compiles a second longer.
template <class... F>
struct Fields : F... {
  static constexpr std::size_t count = sizeof...(F);
};
template <class... F>
Fields(F...) -> Fields<F...>;

template <class T>
constexpr bool is_fields = false;
template <class... F>
constexpr bool is_fields<Fields<F...>> = true;

/// The member of this name; found by the compiler, which knows a base class by the name in its type.
template <Name N, class Owner, class Member>
constexpr auto pointer_to(const Field<N, Owner, Member>& fields) {
  return fields.pointer;
}

}  // namespace limn

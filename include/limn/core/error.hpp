// The errors of limn. Each says what went wrong, where, what was expected and what was got.
#pragma once

#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace limn {

/// Anything that limn refuses. `what()` is a whole sentence for a person.
/// `where()` is the path of the layer ("layer2.0.conv1") when the error arose inside a network, else empty.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message) : std::runtime_error(message), message_(std::move(message)) {}

  const char* what() const noexcept override { return full_.empty() ? message_.c_str() : full_.c_str(); }
  const std::string& where() const noexcept { return where_; }

  /// On its way out of a network every layer puts the name of the child it came from in front of the path.
  void came_through(const std::string& name) {
    where_ = where_.empty() ? name : name + "." + where_;
    const auto colon = message_.find(':');  // "conv2d: input has ..." -> "conv2d at layer2.0.conv1: input has ..."
    const bool named = colon != std::string::npos && message_.find(' ') > colon;
    full_ =
        named ? message_.substr(0, colon) + " at " + where_ + message_.substr(colon) : "at " + where_ + ": " + message_;
  }
  /// The layer it passed last: its address and what tells its type. Read by the layer around it.
  const void* layer = nullptr;
  const void* layer_type = nullptr;

 private:
  std::string message_, where_, full_;
};

/// Shapes or sizes that do not go together.
struct ShapeError : Error {
  using Error::Error;
};

/// A file that is missing, broken, or not what its name says.
struct FileError : Error {
  using Error::Error;
};

/// An option outside its range.
struct OptionError : Error {
  using Error::Error;
};

namespace detail {
// Messages are put together by few plain functions: hundreds of checks with a string stream each made programs slow to
// compile.
inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, long long number) { out += std::to_string(number); }
inline void append(std::string& out, unsigned long long number) { out += std::to_string(number); }
inline void append(std::string& out, double number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", number);
  out += digits;
}
inline void append(std::string& out, char letter) { out += letter; }
template <class T>
[[gnu::cold]] void append_any(std::string& out, const T& part) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append(out, std::string_view(part));
  } else if constexpr (std::is_same_v<T, char>) {
    append(out, part);
  } else if constexpr (std::is_floating_point_v<T>) {
    append(out, static_cast<double>(part));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    append(out, static_cast<long long>(part));
  } else if constexpr (std::is_integral_v<T>) {
    append(out, static_cast<unsigned long long>(part));
  } else if constexpr (requires { append(out, to_string(part)); }) {
    append(out, to_string(part));
  } else {
    std::ostringstream stream;
    stream << part;
    out += stream.str();
  }
}
}  // namespace detail

/// Joins its arguments to one string: text("input has ", 3, " channels").
template <class... Parts>
[[nodiscard, gnu::cold, gnu::noinline]] std::string text(const Parts&... parts) {
  std::string out;
  (detail::append_any(out, parts), ...);
  return out;
}

namespace detail {
template <class E, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  throw E(text(parts...));
}
}  // namespace detail

/// Throws E with the joined message unless the condition holds. Checks hold in release builds too.
template <class E = Error, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::fail<E>(parts...);
}

}  // namespace limn

// The errors of limn. Each says what went wrong, where, what was expected and what was got.
#pragma once

#include <cstddef>
#include <cstdio>
#include <initializer_list>
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
  [[gnu::cold]] void came_through(const std::string& name) {
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

/// One part of a message: a number by its value, anything else by its address and how to write it. Hundreds of checks
/// name hundreds of combinations of types; what puts them together is compiled once.
class Part {
 public:
  Part(std::string_view text) : text_(text.data()), size_(text.size()), write_(write_text) {}          // NOLINT
  Part(long long number) : number_(number), write_(write_number) {}                                    // NOLINT
  Part(unsigned long long number) : number_(static_cast<long long>(number)), write_(write_natural) {}  // NOLINT
  Part(double number) : real_(number), write_(write_real) {}                                           // NOLINT
  Part(const void* value, void (*write)(std::string& out, const Part& part)) : value_(value), write_(write) {}

  void append_to(std::string& out) const { write_(out, *this); }
  [[nodiscard]] const void* value() const { return value_; }

 private:
  static void write_text(std::string& out, const Part& part) { out.append(part.text_, part.size_); }
  static void write_number(std::string& out, const Part& part) { out += std::to_string(part.number_); }
  static void write_natural(std::string& out, const Part& part) {
    out += std::to_string(static_cast<unsigned long long>(part.number_));
  }
  static void write_real(std::string& out, const Part& part) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", part.real_);
    out += digits;
  }

  union {
    const void* value_;
    const char* text_;
    long long number_;
    double real_;
  };
  std::size_t size_ = 0;  // of the text
  void (*write_)(std::string& out, const Part& part);
};

template <class T>
[[gnu::cold]] void write_any(std::string& out, const Part& part) {
  const T& value = *static_cast<const T*>(part.value());
  if constexpr (requires { out += to_string(value); }) {
    out += to_string(value);
  } else {
    std::ostringstream stream;
    stream << value;
    out += stream.str();
  }
}

template <class T>
Part part(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (std::is_same_v<T, char>) {
    return std::string_view(&value, 1);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return static_cast<long long>(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<unsigned long long>(value);
  } else {
    return {&value, write_any<T>};
  }
}

[[nodiscard, gnu::cold, gnu::noinline]] inline std::string join(std::initializer_list<Part> parts) {
  std::string out;
  for (const Part& part : parts) part.append_to(out);
  return out;
}

template <class E>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::initializer_list<Part> parts) {
  throw E(join(parts));
}

}  // namespace detail

/// Joins its arguments to one string: text("input has ", 3, " channels").
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  return detail::join({detail::part(parts)...});
}

/// Throws E with the joined message unless the condition holds. Checks hold in release builds too.
template <class E = Error, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::fail<E>({detail::part(parts)...});
}

}  // namespace limn

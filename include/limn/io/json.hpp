// JSON from files, read by Jansson (https://github.com/akheron/jansson): a C library, so that programs that include
// limn do not compile a parser each time. Nested deeper than 2048 levels, names given twice, numbers that do not fit
// and text that is not UTF-8 are refused.
#pragma once

#include <jansson.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "limn/core/error.hpp"
#include "limn/core/shape.hpp"

namespace limn::io {

/// A value that was read, or nothing. Copies refer to the same value.
class Json {
 public:
  Json() = default;
  /// Throws FileError, which names the file and the line.
  [[gnu::cold]] static Json parse(std::string_view content, const std::string& file) {
    json_error_t problem;
    Json out(json_loadb(content.data(), content.size(), JSON_REJECT_DUPLICATES, &problem));
    require<FileError>(bool(out), file, ": no JSON (", static_cast<const char*>(problem.text), ", line ", problem.line,
                       ")");
    return out;
  }

  /// There is a value.
  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool is_object() const { return json_is_object(value_.get()); }
  [[nodiscard]] bool is_array() const { return json_is_array(value_.get()); }
  [[nodiscard]] bool is_text() const { return json_is_string(value_.get()); }
  [[nodiscard]] bool is_true() const { return json_is_true(value_.get()); }
  /// Values in an array or object; else 0.
  [[nodiscard]] std::size_t size() const {
    return is_object() ? json_object_size(value_.get()) : json_array_size(value_.get());
  }

  /// Of an array.
  [[nodiscard]] Json operator[](std::size_t i) const { return shared(json_array_get(value_.get(), i)); }
  /// Of an object. Nothing where the name is not there.
  [[nodiscard]] Json find(const std::string& name) const { return shared(json_object_get(value_.get(), name.c_str())); }
  /// Of an object. Throws FileError where the name is not there.
  [[nodiscard, gnu::cold]] Json at(const std::string& name) const {
    Json out = find(name);
    require<FileError>(bool(out), "there is no \"", name, "\"");
    return out;
  }
  /// Calls visit(name, value) for all that an object holds, in the order of the file.
  template <class Visit>
  void each(const Visit& visit) const {
    for (void* i = json_object_iter(value_.get()); i != nullptr; i = json_object_iter_next(value_.get(), i))
      visit(std::string(json_object_iter_key(i)), shared(json_object_iter_value(i)));
  }

  /// Throws FileError unless it is text.
  [[nodiscard, gnu::cold]] std::string as_text() const {
    require<FileError>(is_text(), "expected text");
    return {json_string_value(value_.get()), json_string_length(value_.get())};
  }
  /// Throws FileError unless it is a whole number.
  [[nodiscard, gnu::cold]] Index as_whole() const {
    require<FileError>(json_is_integer(value_.get()), "expected a whole number");
    return json_integer_value(value_.get());
  }
  /// This where it is not a whole number.
  [[nodiscard]] Index as_whole_or(Index other) const {
    return json_is_integer(value_.get()) ? Index{json_integer_value(value_.get())} : other;
  }
  /// NaN for null, for which JSON has no number. Throws FileError unless it is either.
  [[nodiscard, gnu::cold]] double as_number() const {
    if (json_is_null(value_.get())) return std::numeric_limits<double>::quiet_NaN();
    require<FileError>(json_is_number(value_.get()), "expected a number");
    return json_number_value(value_.get());
  }

 private:
  explicit Json(json_t* owned) : value_(owned, json_decref) {}
  static Json shared(json_t* borrowed) { return Json(json_incref(borrowed)); }

  std::shared_ptr<json_t> value_;
};

/// Text as JSON, with its quotes. Throws OptionError where it is not UTF-8.
[[nodiscard, gnu::cold]] inline std::string json_string(std::string_view s) {
  const std::unique_ptr<json_t, void (*)(json_t*)> value(json_stringn(s.data(), s.size()), json_decref);
  require<OptionError>(value != nullptr, "text must be UTF-8");
  const std::unique_ptr<char, void (*)(void*)> out(json_dumps(value.get(), JSON_ENCODE_ANY), std::free);
  require<OptionError>(out != nullptr, "text cannot be written as JSON");
  return out.get();
}

/// A number as JSON that reads back as the same double; null for NaN and infinities, which JSON has no words for.
[[nodiscard, gnu::cold]] inline std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace limn::io

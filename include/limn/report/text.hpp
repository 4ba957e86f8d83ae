// Text for HTML, SVG and file names: numbers that ignore the locale, and strings from outside made harmless.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "limn/core/config.hpp"

namespace limn::report {

/// Puts the parts behind what is in `out`: "a" + b + "c" would make a string of every step, here and in the program.
[[gnu::cold]] inline void put(std::string& out, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts) out += part;
}
[[nodiscard, gnu::cold]] inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  put(out, parts);
  return out;
}

/// A number with so many digits after the point; an en dash where it is NaN or infinite.
[[nodiscard, gnu::cold]] inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "\u2013";
  char buffer[400];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits).ptr};
}

/// 0.123 as "12.3%".
[[nodiscard, gnu::cold]] inline std::string percent(double share, int digits = 1) {
  return std::isfinite(share) ? fixed(100 * share, digits) + "%" : fixed(share, digits);
}

/// The length of the UTF-8 character that starts at `at`, 0 where there is none (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
[[nodiscard, gnu::cold]] inline std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned a = byte(at), b = byte(at + 1);
  const auto follows = [&](std::size_t i) { return (byte(at + i) & 0xC0u) == 0x80u; };
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return follows(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const bool fits = !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F);
    return fits && follows(1) && follows(2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const bool fits = !(a == 0xF0 && b < 0x90) && !(a == 0xF4 && b > 0x8F);
    return fits && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// Valid UTF-8 without control characters: line ends and tabs become spaces, anything else that is broken U+FFFD.
[[nodiscard, gnu::cold]] inline std::string clean(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = utf8_length(s, i);
    const unsigned char c = static_cast<unsigned char>(s[i]);
    if (c == '\n' || c == '\t' || c == '\r')
      out += ' ';
    else if (length == 0 || c < 0x20 || c == 0x7F)
      out += "\uFFFD";
    else
      out += s.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  return out;
}

/// Text for HTML and SVG, safe in elements and in quoted attributes.
[[nodiscard, gnu::cold]] inline std::string escape(std::string_view s) {
  std::string out;
  for (char c : clean(s)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

/// Lower-case letters and digits, all else joined to single underscores: "Grad-CAM (layer4)" is "grad_cam_layer4". Safe
/// as a part of a file name: no dots, no separators, 60 characters at most. May be empty.
[[nodiscard, gnu::cold]] inline std::string slug(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (out.size() >= 60) break;
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))
      out += lower;
    else if (!out.empty() && out.back() != '_')
      out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

/// RFC 4648, with padding.
[[nodiscard, gnu::cold]] inline std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t word = static_cast<std::uint32_t>(bytes[i]) << 16 |
                               (left > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0u) |
                               (left > 2 ? static_cast<std::uint32_t>(bytes[i + 2]) : 0u);
    out += digits[word >> 18 & 63];
    out += digits[word >> 12 & 63];
    out += left > 1 ? digits[word >> 6 & 63] : '=';
    out += left > 2 ? digits[word & 63] : '=';
  }
  return out;
}

}  // namespace limn::report

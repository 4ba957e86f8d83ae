// Tensors in files: the safetensors format (https://github.com/huggingface/safetensors): eight bytes with the length
// of a JSON header, the header, the numbers. Nothing in such a file can be executed; whatever does not add up is
// refused.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "limn/core/order.hpp"
#include "limn/io/files.hpp"
#include "limn/io/json.hpp"

namespace limn::io {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian, as must be the machine");

enum class Dtype { BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64 };

namespace detail {
struct DtypeName {
  Dtype dtype;
  const char* name;
  Index bytes;
};
inline constexpr DtypeName dtype_names[] = {{Dtype::BOOL, "BOOL", 1}, {Dtype::U8, "U8", 1},   {Dtype::I8, "I8", 1},
                                            {Dtype::I16, "I16", 2},   {Dtype::U16, "U16", 2}, {Dtype::F16, "F16", 2},
                                            {Dtype::BF16, "BF16", 2}, {Dtype::I32, "I32", 4}, {Dtype::U32, "U32", 4},
                                            {Dtype::F32, "F32", 4},   {Dtype::I64, "I64", 8}, {Dtype::U64, "U64", 8},
                                            {Dtype::F64, "F64", 8}};
inline const DtypeName& about(Dtype dtype) { return dtype_names[static_cast<std::size_t>(dtype)]; }
inline constexpr std::uint64_t max_header = 100'000'000;
}  // namespace detail

/// One tensor of a file: row-major, no padding.
struct Entry {
  Dtype dtype = Dtype::F32;
  std::vector<Index> shape;
  std::vector<std::byte> bytes;
};

/// Names and texts.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// What a file holds.
struct TensorFile {
  std::map<std::string, Entry> tensors;
  Metadata metadata;

  /// The tensor of that name. Throws FileError.
  const Entry& at(const std::string& name) const {
    const auto found = tensors.find(name);
    require<FileError>(found != tensors.end(), "no tensor \"", name, "\" among the ", tensors.size(), " of the file");
    return found->second;
  }
  /// The text under that name; null where there is none.
  [[nodiscard, gnu::cold]] const std::string* find_text(std::string_view name) const {
    for (const auto& [key, value] : metadata)
      if (key == name) return &value;
    return nullptr;
  }
};

namespace detail {

/// Number of elements; -1 where the product does not fit.
inline Index element_count(const std::vector<Index>& shape) {
  Index count = 1;
  for (Index size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return -1;
  }
  return count;
}

/// IEEE 754 binary16 to float: exact.
inline float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 31u, fraction = half & 1023u;
  if (exponent == 0) {  // zero and the subnormal numbers: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1.0p-24f;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <class From, class To, class Convert>
void convert_all(const std::vector<std::byte>& bytes, std::vector<To>& out, const Convert& convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(convert(value));  // NOLINT(bugprone-signed-char-misuse): I8 is a signed number
  }
}

/// A whole number >= 0.
[[gnu::cold]] inline Index whole_number(const Json& value, const std::string& file, const std::string& name) {
  const Index out = value.as_whole_or(-1);
  require<FileError>(out >= 0, file, ": tensor \"", name, "\": expected whole numbers as shape and offsets");
  return out;
}

}  // namespace detail

/// Reads the bytes of a safetensors file; `file` is its name in messages. Throws FileError for anything but a valid
/// file: lengths that do not add up, holes or overlaps between tensors, unknown types, names given twice.
[[nodiscard, gnu::cold]] inline TensorFile decode_safetensors(std::span<const std::uint8_t> bytes,
                                                              const std::string& file) {
  std::uint64_t header_size = 0;
  require<FileError>(bytes.size() >= 8, file, ": ", bytes.size(), " bytes are too few for a safetensors file");
  std::memcpy(&header_size, bytes.data(), 8);
  require<FileError>(header_size <= detail::max_header && header_size <= bytes.size() - 8, file, ": a header of ",
                     header_size, " bytes in a file of ", bytes.size(), " (truncated, or no safetensors file)");
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(header_size));
  require<FileError>(!header.empty() && header[0] == '{', file, ": the header does not begin with {");
  const std::span<const std::uint8_t> data = bytes.subspan(8 + static_cast<std::size_t>(header_size));
  const Json json = Json::parse(header, file);

  TensorFile out;
  std::vector<std::string> names;
  std::vector<Index> begins, ends;  // of the bytes of every tensor
  std::vector<std::size_t> order;
  json.each([&](const std::string& name, const Json& item) {
    require<FileError>(item.is_object(), file, ": \"", name, "\" is not an object");
    if (name == "__metadata__") {
      item.each([&](const std::string& key, const Json& value) {
        require<FileError>(value.is_text(), file, ": metadata \"", key, "\" is not text");
        out.metadata.push_back({key, value.as_text()});
      });
      return;
    }
    const auto fail = [&](const auto&... parts) { throw FileError(text(file, ": tensor \"", name, "\": ", parts...)); };
    const Json type = item.find("dtype"), shape = item.find("shape"), offsets = item.find("data_offsets");
    if (!type.is_text() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2 || item.size() != 3)
      fail("expected dtype, shape and two data_offsets");
    Entry entry;
    const detail::DtypeName* known = nullptr;
    for (const auto& candidate : detail::dtype_names)
      if (type.as_text() == candidate.name) known = &candidate;
    if (known == nullptr) fail("unknown dtype ", type.as_text());
    entry.dtype = known->dtype;
    for (std::size_t i = 0; i < shape.size(); ++i) entry.shape.push_back(detail::whole_number(shape[i], file, name));
    const Index begin = detail::whole_number(offsets[0], file, name),
                end = detail::whole_number(offsets[1], file, name);
    Index expected = detail::element_count(entry.shape);
    if (expected < 0 || __builtin_mul_overflow(expected, known->bytes, &expected)) fail("its shape overflows");
    if (begin > end || end > static_cast<Index>(data.size()))
      fail("data_offsets ", begin, ", ", end, " in ", data.size(), " bytes of data");
    if (end - begin != expected) fail("its shape takes ", expected, " bytes, its data_offsets give ", end - begin);
    order.push_back(order.size());
    names.push_back(name), begins.push_back(begin), ends.push_back(end);
    out.tensors.emplace(name, std::move(entry));
  });
  stable_order(order, [&](std::size_t a, std::size_t b) {
    return begins[a] != begins[b] ? begins[a] < begins[b] : ends[a] < ends[b];
  });
  Index at = 0;
  for (const std::size_t i : order) {
    require<FileError>(begins[i] == at, file, ": tensor \"", names[i], "\" begins at byte ", begins[i],
                       " of the data, expected ", at, " (a hole or an overlap)");
    at = ends[i];
    // Copied only now: overlapping ranges could ask for far more memory than the file has bytes.
    const auto* first = reinterpret_cast<const std::byte*>(data.data());
    out.tensors[names[i]].bytes.assign(first + begins[i], first + ends[i]);
  }
  require<FileError>(at == static_cast<Index>(data.size()), file, ": ", static_cast<Index>(data.size()) - at,
                     " bytes behind the last tensor");
  return out;
}

[[nodiscard, gnu::cold]] inline TensorFile read_safetensors(const std::filesystem::path& path) {
  return decode_safetensors(read_file(path), path.string());
}

/// The bytes of a safetensors file. Tensors lie widest type first, then by name, so that each is aligned to its type.
[[nodiscard, gnu::cold]] inline std::vector<std::uint8_t> encode_safetensors(const TensorFile& file) {
  std::vector<std::string> order;
  for (const Index width : {8, 4, 2, 1})
    for (const auto& [name, entry] : file.tensors) {
      if (detail::about(entry.dtype).bytes != width) continue;
      const Index count = detail::element_count(entry.shape);
      require<ShapeError>(count >= 0 && static_cast<Index>(entry.bytes.size()) == count * width,
                          "safetensors: tensor \"", name, "\" has ", entry.bytes.size(), " bytes, its shape takes ",
                          count * width);
      require<OptionError>(name != "__metadata__", "safetensors: a tensor cannot be called __metadata__");
      order.push_back(name);
    }
  const auto quoted = [](const std::string& s) {
    try {
      return json_string(s);
    } catch (const OptionError&) {
      throw OptionError("safetensors: names and metadata must be UTF-8");
    }
  };
  const char* comma = "";
  std::string json = "{";
  if (!file.metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : file.metadata) {
      require<OptionError>(file.find_text(key) == &value, "safetensors: metadata \"", key, "\" is there twice");
      json += std::exchange(comma, ",") + quoted(key) + ":" + quoted(value);
    }
    json += "}";
  }
  std::size_t end = 0;
  for (const std::string& name : order) {
    const Entry& entry = file.at(name);
    const std::size_t begin = end;
    end += entry.bytes.size();
    json += std::exchange(comma, ",") + quoted(name) + ":{\"dtype\":\"" + detail::about(entry.dtype).name +
            "\",\"shape\":[";
    for (std::size_t i = 0; i < entry.shape.size(); ++i) json += text(i > 0 ? "," : "", entry.shape[i]);
    json += text("],\"data_offsets\":[", begin, ",", end, "]}");
  }
  json += "}";
  json.append((8 - json.size() % 8) % 8, ' ');
  require<OptionError>(json.size() <= detail::max_header, "safetensors: the header is longer than 100 MB");
  const std::uint64_t header_size = json.size();
  std::vector<std::uint8_t> out(8 + json.size() + end);
  std::memcpy(out.data(), &header_size, 8);
  std::memcpy(out.data() + 8, json.data(), json.size());
  std::size_t at = 8 + json.size();
  for (const std::string& name : order) {
    const std::vector<std::byte>& bytes = file.at(name).bytes;
    if (!bytes.empty()) std::memcpy(out.data() + at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  return out;
}

/// Writes the tensors, atomically.
[[gnu::cold]] inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file_atomically(path, encode_safetensors(file));
}

/// A tensor for a file, from float (F32), double (F64), Index (I64) or bytes (U8). Throws ShapeError.
template <class T>
requires std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Index> ||
    std::is_same_v<T, std::uint8_t>
[[nodiscard]] Entry make_entry(std::vector<Index> shape, const T* values, Index count) {
  require<ShapeError>(detail::element_count(shape) == count, "safetensors: ", count, " values for a shape of ",
                      detail::element_count(shape));
  Entry entry;
  entry.dtype = std::is_same_v<T, float>    ? Dtype::F32
                : std::is_same_v<T, double> ? Dtype::F64
                : std::is_same_v<T, Index>  ? Dtype::I64
                                            : Dtype::U8;
  entry.shape = std::move(shape);
  const auto* first = reinterpret_cast<const std::byte*>(values);
  entry.bytes.assign(first, first + count * static_cast<Index>(sizeof(T)));
  return entry;
}

template <class T>
[[nodiscard]] Entry make_entry(std::vector<Index> shape, const std::vector<T>& values) {
  return make_entry(std::move(shape), values.data(), static_cast<Index>(values.size()));
}

/// The numbers of a tensor as float or double: from F64, F32, F16 or BF16. Throws FileError for whole-number types.
template <std::floating_point T>
[[nodiscard]] std::vector<T> values(const Entry& entry) {
  std::vector<T> out(static_cast<std::size_t>(detail::element_count(entry.shape)));
  const auto same = [](auto x) { return x; };
  switch (entry.dtype) {
    case Dtype::F64:
      detail::convert_all<double>(entry.bytes, out, same);
      break;
    case Dtype::F32:
      detail::convert_all<float>(entry.bytes, out, same);
      break;
    case Dtype::F16:
      detail::convert_all<std::uint16_t>(entry.bytes, out, detail::from_half);
      break;
    case Dtype::BF16:
      detail::convert_all<std::uint16_t>(entry.bytes, out, detail::from_bfloat);
      break;
    default:
      throw FileError(text("expected a tensor of floats, got ", detail::about(entry.dtype).name));
  }
  return out;
}

/// The numbers of a whole-number tensor. Throws FileError for floats and for a U64 beyond Index.
template <std::same_as<Index> T>
[[nodiscard]] std::vector<T> values(const Entry& entry) {
  std::vector<T> out(static_cast<std::size_t>(detail::element_count(entry.shape)));
  const auto same = [](auto x) { return x; };
  switch (entry.dtype) {
    case Dtype::BOOL:
    case Dtype::U8:
      detail::convert_all<std::uint8_t>(entry.bytes, out, same);
      break;
    case Dtype::I8:
      detail::convert_all<std::int8_t>(entry.bytes, out, same);
      break;
    case Dtype::I16:
      detail::convert_all<std::int16_t>(entry.bytes, out, same);
      break;
    case Dtype::U16:
      detail::convert_all<std::uint16_t>(entry.bytes, out, same);
      break;
    case Dtype::I32:
      detail::convert_all<std::int32_t>(entry.bytes, out, same);
      break;
    case Dtype::U32:
      detail::convert_all<std::uint32_t>(entry.bytes, out, same);
      break;
    case Dtype::I64:
      detail::convert_all<std::int64_t>(entry.bytes, out, same);
      break;
    case Dtype::U64:
      detail::convert_all<std::uint64_t>(entry.bytes, out, [](std::uint64_t x) {
        require<FileError>(x <= std::uint64_t{INT64_MAX},
                           "a whole number of the tensor does not fit in 64 bits with sign");
        return x;
      });
      break;
    default:
      throw FileError(text("expected a tensor of whole numbers, got ", detail::about(entry.dtype).name));
  }
  return out;
}

}  // namespace limn::io

// Weights in files: safetensors with torchvision's names, shapes and order of numbers, so that files go both ways.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/io/safetensors.hpp"
#include "limn/nn/fields.hpp"

namespace limn {

struct LoadOptions {
  /// Every number of the network must be in the file and fit, and nothing else may be there. Not strict: what fits is
  /// loaded, the rest is reported.
  bool strict = true;
};

/// What did not go together: paths.
struct LoadReport {
  std::vector<std::string> missing, unexpected;
  std::vector<std::string> misfits;  ///< with both shapes or the type
  [[nodiscard]] bool complete() const { return missing.empty() && unexpected.empty() && misfits.empty(); }
};

namespace detail {

/// Tensors of a checkpoint that belong to the training and not to the network.
inline constexpr std::string_view optimizer_prefix = "optimizer/";

/// Convolution weights, those of four and five axes, are (out, kernel..., in) here and (out, in, kernel...) in files;
/// all else is the same.
inline bool is_turned(const Shape& shape) { return shape.rank() >= 4; }
inline std::vector<Index> shape_in_file(const Shape& shape) {
  std::vector<Index> out;
  for (int i = 0; i < shape.rank(); ++i) out.push_back(shape[i]);
  if (is_turned(shape)) std::rotate(out.begin() + 1, out.end() - 1, out.end());
  return out;
}

/// Copies a convolution weight from one order to the other: (out, a, b) to (out, b, a).
template <class T>
void swap_inner(const T* from, T* to, Index out, Index a, Index b) {
  for (Index o = 0; o < out; ++o, from += a * b, to += a * b)
    for (Index i = 0; i < a; ++i)
      for (Index j = 0; j < b; ++j) to[j * a + i] = from[i * b + j];
}

template <Backend B>
io::Entry entry_of(const Tensor<B>& x) {
  const Shape& s = x.shape();
  if (!is_turned(s)) return io::make_entry(shape_in_file(s), x.data(), x.size());
  std::vector<typename B::scalar> turned(static_cast<std::size_t>(x.size()));
  swap_inner(x.data(), turned.data(), s[0], s.product(1, s.rank() - 1), s.back());
  return io::make_entry(shape_in_file(s), turned);
}

template <Backend B>
void read_entry(const io::Entry& entry, Tensor<B>& x) {
  const auto numbers = io::values<typename B::scalar>(entry);
  const Shape& s = x.shape();
  if (is_turned(s)) {
    swap_inner(numbers.data(), x.data(), s[0], s.back(), s.product(1, s.rank() - 1));
  } else {
    std::copy(numbers.begin(), numbers.end(), x.data());
  }
}

inline std::string shape_text(const std::vector<Index>& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}

inline bool holds_floats(io::Dtype type) {
  return type == io::Dtype::F32 || type == io::Dtype::F64 || type == io::Dtype::F16 || type == io::Dtype::BF16;
}

/// "missing: fc.weight, fc.bias and 3 more"
inline void list_names(std::string& out, const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  if (names.empty()) return;
  out += text("; ", what, " ");
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += (i ? ", " : "") + names[i];
  if (names.size() > most) out += text(" and ", names.size() - most, " more");
}

}  // namespace detail

/// Everything a network owns, as it stands in files.
template <Backend B>
[[nodiscard, gnu::cold]] io::TensorFile weights_of(const std::vector<Leaf<B>>& leaves) {
  io::TensorFile out;
  for (const Leaf<B>& leaf : leaves) {
    if (leaf.parameter != nullptr) out.tensors[leaf.path] = detail::entry_of(leaf.parameter->value());
    if (leaf.buffer != nullptr) out.tensors[leaf.path] = detail::entry_of(leaf.buffer->value());
    if (leaf.counter != nullptr) out.tensors[leaf.path] = io::make_entry({}, leaf.counter->value().data(), 1);
  }
  return out;
}

/// Copies the tensors into the network; `file` is their name in messages. Counters may be missing, as in torchvision's
/// older files. A network is changed only after everything was checked. Throws FileError (strict) that lists what is
/// missing, unexpected or of another shape.
template <Backend B>
[[gnu::cold]] LoadReport put_weights(const std::vector<Leaf<B>>& leaves, const io::TensorFile& tensors,
                                     const std::string& file, const LoadOptions& options = {}) {
  LoadReport report;
  std::vector<Leaf<B>> fitting;
  for (const Leaf<B>& leaf : leaves) {
    const auto found = tensors.tensors.find(leaf.path);
    if (found == tensors.tensors.end()) {
      if (leaf.counter == nullptr) report.missing.push_back(leaf.path);
      continue;
    }
    const io::Entry& entry = found->second;
    std::vector<Index> expected;
    if (leaf.parameter != nullptr) expected = detail::shape_in_file(leaf.parameter->shape());
    if (leaf.buffer != nullptr) expected = detail::shape_in_file(leaf.buffer->value().shape());
    const bool one = leaf.counter != nullptr && detail::shape_text(entry.shape) == "(1)";  // for () of torch
    if (entry.shape != expected && !one) {
      report.misfits.push_back(
          text(leaf.path, ": expected ", detail::shape_text(expected), ", got ", detail::shape_text(entry.shape)));
    } else if (detail::holds_floats(entry.dtype) == (leaf.counter != nullptr)) {
      report.misfits.push_back(text(leaf.path, ": expected ", leaf.counter != nullptr ? "whole numbers" : "floats",
                                    ", got ", io::detail::about(entry.dtype).name));
    } else {
      fitting.push_back(Leaf<B>(leaf));
    }
  }
  const auto known = [&](const std::string& name) {
    return std::any_of(leaves.begin(), leaves.end(), [&](const Leaf<B>& leaf) { return leaf.path == name; });
  };
  for (const auto& [name, entry] : tensors.tensors)
    if (!known(name) && name.compare(0, detail::optimizer_prefix.size(), detail::optimizer_prefix) != 0)
      report.unexpected.push_back(name);
  if (options.strict && !report.complete()) {
    std::string message = file + " does not fit the network";
    detail::list_names(message, "missing", report.missing);
    detail::list_names(message, "unexpected", report.unexpected);
    detail::list_names(message, "of another shape or type", report.misfits);
    throw FileError(message);
  }
  for (const Leaf<B>& leaf : fitting) {
    const io::Entry& entry = tensors.tensors.at(leaf.path);
    if (leaf.parameter != nullptr) detail::read_entry(entry, leaf.parameter->value());
    if (leaf.buffer != nullptr) detail::read_entry(entry, leaf.buffer->value());
    if (leaf.counter != nullptr) leaf.counter->value().data()[0] = io::values<Index>(entry)[0];
  }
  return report;
}

/// Writes all parameters and buffers, atomically: torch reads the file with safetensors.torch.load_file.
template <class Net>
void save_weights(const Net& net, const std::filesystem::path& path, io::Metadata metadata = {}) {
  io::TensorFile file = weights_of(leaves(net));
  file.metadata = std::move(metadata);
  io::write_safetensors(path, file);
}

/// Reads what save_weights, a checkpoint of train::fit, or torchvision (converted to safetensors) wrote.
template <class Net>
LoadReport load_weights(Net& net, const std::filesystem::path& path, const LoadOptions& options = {}) {
  return put_weights(leaves(net), io::read_safetensors(path), path.string(), options);
}

}  // namespace limn

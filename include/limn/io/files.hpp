// Whole files: read at once, written so that a reader never sees half of one.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"

namespace limn::io {

namespace detail {
template <class Bytes>
Bytes read_whole(const std::filesystem::path& path) {
  std::error_code problem;
  require<FileError>(std::filesystem::exists(path, problem), path.string(), ": no such file");
  require<FileError>(std::filesystem::is_regular_file(path, problem), path.string(), ": not a regular file");
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  require<FileError>(in.good(), path.string(), ": cannot be opened (", std::strerror(errno), ")");
  Bytes bytes(static_cast<std::size_t>(in.tellg()), typename Bytes::value_type{});
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  require<FileError>(in.gcount() == static_cast<std::streamsize>(bytes.size()), path.string(),
                     ": reading stopped after ", in.gcount(), " of ", bytes.size(), " bytes");
  return bytes;
}
}  // namespace detail

/// The bytes of a file. Throws FileError naming the file.
[[nodiscard, gnu::cold]] inline std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  return detail::read_whole<std::vector<std::uint8_t>>(path);
}

/// The same as text.
[[nodiscard, gnu::cold]] inline std::string read_text(const std::filesystem::path& path) {
  return detail::read_whole<std::string>(path);
}

/// Writes a file beside its final name, flushes it to the disk and renames it: whoever opens `path`, at any time, sees
/// the old file or the new one, never a part. Its folder must exist. Throws FileError; a failed write leaves the old
/// file.
[[gnu::cold]] inline void write_file_atomically(const std::filesystem::path& path,
                                                std::span<const std::uint8_t> bytes) {
  static std::atomic<unsigned> counter{0};
  const std::string draft = text(path.string(), ".", ::getpid(), ".", counter++, ".tmp");
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  require<FileError>(file >= 0, path.string(), ": cannot be written (", std::strerror(errno), ")");
  int failure = 0;
  for (std::size_t done = 0; done < bytes.size() && failure == 0;) {
    const ::ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      failure = errno;
    }
  }
  if (failure == 0 && ::fsync(file) != 0 && errno != EINVAL) failure = errno;  // EINVAL: pipes and the like cannot sync
  if (::close(file) != 0 && failure == 0) failure = errno;
  if (failure == 0 && std::rename(draft.c_str(), path.c_str()) != 0) failure = errno;
  if (failure != 0) ::unlink(draft.c_str());
  require<FileError>(failure == 0, path.string(), ": cannot be written (", std::strerror(failure), ")");
}

[[gnu::cold]] inline void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  write_file_atomically(path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

}  // namespace limn::io

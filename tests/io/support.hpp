// What the tests of io/ and data/ share: a folder that goes when the test ends, and broken versions of good files.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/core/random.hpp"

namespace support {

struct Folder {
  std::filesystem::path path;
  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() / limn::text("limn_", name, "_", ::getpid())) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

/// A few bytes changed, inserted or removed, or the end cut off.
inline std::vector<std::uint8_t> mutated(std::vector<std::uint8_t> file, limn::Random& random) {
  const auto position = [&] { return random.below(static_cast<limn::Index>(file.size())); };
  for (limn::Index edits = 1 + random.below(4); edits > 0 && !file.empty(); --edits) {
    switch (random.below(5)) {
      case 0:
        file[static_cast<std::size_t>(position())] = static_cast<std::uint8_t>(random.below(256));
        break;
      case 1:
        file[static_cast<std::size_t>(position())] ^= static_cast<std::uint8_t>(1 << random.below(8));
        break;
      case 2:
        file.insert(file.begin() + position(), static_cast<std::uint8_t>(random.below(256)));
        break;
      case 3:
        file.erase(file.begin() + position());
        break;
      default:
        if (random.chance(.25)) file.resize(static_cast<std::size_t>(position()));
        break;
    }
  }
  return file;
}

/// Decodes `count` broken versions of the file. Each must load or throw FileError; returns how many loaded.
template <class Decode>
int fuzz(const std::vector<std::uint8_t>& file, int count, const Decode& decode) {
  int loaded = 0;
  for (int i = 0; i < count; ++i) {
    limn::Random random(limn::Seed{11}, i);
    try {
      decode(mutated(file, random));
      ++loaded;
    } catch (const limn::FileError&) {
    } catch (const std::exception& other) {
      FAIL("mutation " << i << " threw another exception: " << other.what());
    }
  }
  return loaded;
}

/// The message of the error of kind E that `call` must throw.
template <class E, class Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline bool holds(const std::string& whole, const std::string& part) {
  const bool found = whole.find(part) != std::string::npos;
  if (!found) MESSAGE("got: " << whole);
  return found;
}

}  // namespace support

// The command line that all examples share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limn/core/config.hpp"

namespace example {

/// The values here are the defaults that --help shows; a program may start from others.
struct RunOptions {
  std::string data = {};        ///< folder of images; empty: generated pictures
  limn::Index pictures = 1200;  ///< that are generated
  limn::Index size = 64;        ///< pictures are size x size
  limn::Index epochs = 10;
  limn::Index batch = 32;
  std::uint64_t seed = 7;
  int threads = 0;  ///< 0: as many as there are cores
  std::string out = "runs/example";
  bool resume = false;  ///< go on with the run in `out`

  /// Programs that are studies: what --study may be. The first one is what runs without it. Empty: no study, and none
  /// of the options below.
  std::vector<std::string> studies = {};
  std::string study = {};  ///< the one to do
  limn::Index runs = 3;    ///< with different seeds, of everything that is tried
  bool full = false;       ///< all that the study can try
  /// Programs that compare maps with what several people marked: the name of the folder, asked for where it is not
  /// none.
  std::optional<std::string> annotations = std::nullopt;
};

/// Reads the command line, sets limn's number of threads, and prints limn::about() to stderr. Ends the program after
/// --help and --version (status 0) and, with a message, for whatever is not understood (naming the option and its
/// range) and on a processor for which it was not built (status 2).
RunOptions parse(int argc, char** argv, const std::string& description, RunOptions defaults = {});

}  // namespace example

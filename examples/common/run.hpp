// The frame of an example's main: reads the command line, runs the body, says in one line what went wrong.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

#include "common/options.hpp"

namespace example {

/// Calls body(options). Ends with 0, or with 1 and the message of the error.
template <class Body>
int run(int argc, char** argv, const std::string& description, const RunOptions& defaults, const Body& body) {
  const RunOptions options = parse(argc, argv, description, defaults);
  try {
    body(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace example

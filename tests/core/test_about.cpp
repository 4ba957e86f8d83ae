// What a program says of itself.
#include "limn/core/about.hpp"

#include <doctest/doctest.h>

#include "limn/backend/cpu/blocks/block.hpp"

using namespace limn;

static_assert(instruction_set.floats == kernel::detail::lanes<float>, "about() says what the kernels use");

TEST_CASE("about names version, compiler, instructions and threads") {
  set_threads(1);
  const std::string one = about();
  set_threads(3);
  const std::string three = about();
  set_threads(0);
  CAPTURE(one);
  CHECK(one.starts_with("limn 0.1.0, "));
  CHECK(one.find(__VERSION__) != std::string::npos);
  CHECK(one.find(text(", ", instruction_set.name, " (", instruction_set.floats, " floats at once), 1 thread")) !=
        std::string::npos);
  CHECK(one.find("CUDA") != std::string::npos);
#if defined(_OPENMP)
  CHECK(three.find(" 3 threads, ") != std::string::npos);
#endif
  CHECK(lacking_instructions() == nullptr);  // or this test would not run
  CHECK(one.find("this processor has no") == std::string::npos);
}

// The main function of every test program. The first macro is needed because the precompiled header holds doctest's
// declarations already, and with them the place where doctest would derive it from the second.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

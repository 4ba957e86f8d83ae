#if __has_include(<limn/limn.hpp>)
#include <limn/limn.hpp>
#else
#include <limn/core/config.hpp>
#endif

#include <cstdio>

int main() { std::printf("limn %s\n", limn::version); }

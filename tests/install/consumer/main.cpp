#include <limn/limn.hpp>

#include <cstdio>

int main() { std::printf("limn %s\n", limn::version); }

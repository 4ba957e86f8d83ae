// A plain number does not turn into a seed, so that a size in the wrong place is noticed.
// expect: conversion from 'int' to non-scalar type 'limn::Seed' requested
#include "limn/core/random.hpp"

int main() {
#ifdef BAD
  limn::Seed seed = 7;
#else
  limn::Seed seed{7};
#endif
  return static_cast<int>(seed.value);
}

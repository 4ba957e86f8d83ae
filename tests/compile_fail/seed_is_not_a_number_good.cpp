#include "limn/core/random.hpp"

int main() {
  limn::Seed seed{7};
  return static_cast<int>(seed.value);
}

#include "limn/nn/lap.hpp"
using namespace limn;

constexpr ClueSystem<2, 3> clues{{1, -1, -1, -1, 1, -1}};

int main() {
  const LapPool<Cpu, 8, clues, 3, 2, 1> pool;
  return static_cast<int>(parameter_count(pool));
}

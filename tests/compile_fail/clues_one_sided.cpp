// Clue 1 speaks against no class: the message shows the clue.
// expect: limn: this clue needs a class that it speaks for and one against
#include "limn/nn/lap.hpp"
using namespace limn;

#ifdef BAD
constexpr ClueSystem<2, 2> clues{{-1, 1, 1, 0}};
#else
constexpr ClueSystem<2, 2> clues{{-1, 1, 1, -1}};
#endif

int main() {
  const LapPool<Cpu, 8, clues, 3, 2, 1> pool;
  return static_cast<int>(parameter_count(pool));
}

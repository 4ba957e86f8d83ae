// Classes 1 and 2 have no clue of their own: the message shows the class that is not told apart, 1.
// expect: limn: the clues do not tell this class from all others
#include "limn/nn/lap.hpp"
using namespace limn;

#ifdef BAD
constexpr ClueSystem<1, 3> clues{{1, -1, -1}};
#else
constexpr ClueSystem<2, 3> clues{{1, -1, -1, -1, 1, -1}};
#endif

int main() {
  const LapPool<Cpu, 8, clues, 3, 2, 1> pool;
  return static_cast<int>(parameter_count(pool));
}

// check_layer on the LAP layers. The scores decide by max and ReLU: at random numbers no window has two best elements,
// and no hidden unit is within a step of zero, so the differences are those of a smooth function.
#include <doctest/doctest.h>

#include "limn/nn/check_layer.hpp"
#include "limn/nn/lap.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

template <class L>
void passes(bool training = true) {
  const auto result = check_layer<L>({5, 4, L::in_channels}, training);
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

}  // namespace

TEST_CASE("the LAP head") {
  passes<LapHead<D, 8, 1>>();
  passes<LapHead<D, 4, 3, 5>>();
}

TEST_CASE("LAP-Pool over windows") {
  passes<LapPool<D, 8, lap::binary(), 3, 2, 1>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 2, 2>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 2, 2>>(false);
}

TEST_CASE("LAP-Pool over the whole map") {
  passes<LapPool<D, 8, lap::binary(), 0>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 0>>();
}

TEST_CASE("LAP-Pool by the largest importance and by a learned mix") {
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 3, 2, 1, lap::Aggregate::maximum>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 0, 1, 0, lap::Aggregate::maximum>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 3, 2, 1, lap::Aggregate::learned>>();
  passes<LapPool<D, 4, lap::one_vs_others<3>(), 0, 1, 0, lap::Aggregate::learned>>();
}

// Where the elements of LAP maps lie: what pooling itself does to a ramp, by hand, and without known windows.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/lap_grid.hpp"
#include "limn/ops/lap_pool.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

/// Laps of these sizes and windows; the maps do not matter.
std::vector<LapOutput<D>> laps_of(const std::vector<Shape>& shapes, const std::vector<Window>& windows) {
  std::vector<LapOutput<D>> out;
  for (std::size_t l = 0; l < shapes.size(); ++l) out.push_back({Var<D>(Tensor<D>(shapes[l], 0.)), {}, {}, windows[l]});
  return out;
}

/// A picture whose value is 10 y + x.
Var<D> ramp(Index h, Index w) {
  Tensor<D> out(Shape{1, h, w, 1});
  for (Index y = 0; y < h; ++y)
    for (Index x = 0; x < w; ++x) out(0, y, x, 0) = 10. * static_cast<double>(y) + static_cast<double>(x);
  return out;
}

}  // namespace

TEST_CASE("a ramp that was averaged window by window and is read on its grid is the same ramp again") {
  for (const Window& window : {Window::square(3, 2, 1), Window::square(2, 2), Window::square(5, 2, 2),
                               Window::square(3, 2), Window::square(3, 3, 1), Window{3, 2, 2, 2, 1, 0}}) {
    CAPTURE(window.kernel_h);
    CAPTURE(window.stride_h);
    CAPTURE(window.pad_h);
    std::vector<Var<D>> maps{ramp(41, 38)};
    for (int l = 0; l < 2; ++l) {
      const Var<D> equal = Tensor<D>(Shape{1, maps.back().dim(1), maps.back().dim(2), 1}, 1.);
      maps.push_back(lap_pool(maps.back(), equal, Var<D>(Tensor<D>(Shape{1}, 1.)), window));
    }
    const auto grids =
        lap_grids(laps_of({maps[0].shape(), maps[1].shape(), maps[2].shape()}, std::vector<Window>(3, window)));
    for (std::size_t l = 1; l < maps.size(); ++l) {
      const Var<D> back = on_grid(maps[l], grids[l], grids[0], 41, 38);
      for (Index y = 12; y < 26; ++y)  // away from the border, where windows are cut
        for (Index x = 12; x < 26; ++x) CHECK(back.value()(0, y, x, 0) == doctest::Approx(maps[0].value()(0, y, x, 0)));
      // And the other way: the first map read where the elements of the deeper one lie.
      const Var<D> down = on_grid(maps[0], grids[0], grids[l], maps[l].dim(1), maps[l].dim(2));
      const Index y = maps[l].dim(1) / 2, x = maps[l].dim(2) / 2;
      CHECK(down.value()(0, y, x, 0) == doctest::Approx(maps[l].value()(0, y, x, 0)));
    }
  }
}

TEST_CASE("by hand: windows of 3 with stride 2 begin at 0, three times over; after anything else extents agree") {
  const Window pool = Window::square(3, 2, 1);
  const auto grids = lap_grids(laps_of({{1, 16, 16, 1}, {1, 8, 8, 1}, {1, 4, 4, 1}, {1, 2, 1, 1}},
                                       {pool, pool, pool /* would lead to 2 x 2 */, Window{}}));
  CHECK(grids[0].rows.step == 1);
  CHECK(grids[1].rows.first == 0);
  CHECK(grids[1].rows.step == 2);
  CHECK(grids[2].columns.first == 0);
  CHECK(grids[2].columns.step == 4);
  CHECK(grids[3].rows.step == 8);
  CHECK(grids[3].rows.first == 2);  // the middle of elements 0 and 1, which lie at 0 and 4
  CHECK(grids[3].columns.step == 16);
  CHECK(grids[3].columns.first == 6);  // the middle of 0, 4, 8, 12
  CHECK(lap_grids(laps_of({}, {})).empty());
}

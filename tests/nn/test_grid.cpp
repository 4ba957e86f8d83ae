// Where the elements of maps lie: what pooling itself does to a ramp, by hand, through layers, and where nobody says.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/models/resnet.hpp"
#include "limn/ops/lap_pool.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

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
    Run<D> run;
    for (int l = 0; l < 2; ++l) run.pooled(maps[static_cast<std::size_t>(l)], window);
    const auto grid = [&](std::size_t l) { return run.grid(maps[l].dim(1), maps[l].dim(2)); };
    for (std::size_t l = 1; l < maps.size(); ++l) {
      const Var<D> back = resize(maps[l], 41, 38, grid(l), grid(0));
      for (Index y = 12; y < 26; ++y)  // away from the border, where windows are cut
        for (Index x = 12; x < 26; ++x) CHECK(back.value()(0, y, x, 0) == doctest::Approx(maps[0].value()(0, y, x, 0)));
      // And the other way: the first map read where the elements of the deeper one lie.
      const Var<D> down = resize(maps[0], maps[l].dim(1), maps[l].dim(2), grid(0), grid(l));
      const Index y = maps[l].dim(1) / 2, x = maps[l].dim(2) / 2;
      CHECK(down.value()(0, y, x, 0) == doctest::Approx(maps[l].value()(0, y, x, 0)));
    }
  }
}

TEST_CASE("the layers of ResNet say where their maps lie; others share the picture equally") {
  const models::ResNetSmall<Cpu, 1, 2> net{Seed{1}};
  Run<Cpu> run;
  (void)run(net, Var<Cpu>(Tensor<Cpu>(Shape{1, 64, 96, 1}, 0.f)));
  CHECK(run.grid(64, 96).rows.step == 1);
  for (const auto& [h, w, step] : {std::tuple<Index, Index, double>{32, 48, 2}, {16, 24, 4}, {8, 12, 8}, {2, 3, 32}}) {
    CHECK(run.grid(h, w).rows.first == 0);
    CHECK(run.grid(h, w).columns.first == 0);
    CHECK(run.grid(h, w).rows.step == step);
    CHECK(run.grid(h, w).columns.step == step);
  }
  CHECK(run.grid(5, 6).rows.step == 64. / 5);
  CHECK(run.grid(5, 6).columns.first == 7.5);  // 16 pixels each: the middle of the first is between 7 and 8
  // Without a pass two sizes still lie on one another as in a plain resize.
  const Run<Cpu> nothing;
  const Sampling plain = Sampling::half_pixel(3, 7), found = nothing.grid(3, 3).rows.sampling(nothing.grid(7, 7).rows);
  CHECK(found.first == doctest::Approx(plain.first));
  CHECK(found.step == doctest::Approx(plain.step));
}

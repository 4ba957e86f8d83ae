// The LAP losses on maps of volumes. A volume with one column is a picture whose rows are the slices, and a volume with
// one slice is a picture: they must give the same loss and the same gradients, where elements lie included.
#include <doctest/doctest.h>

#include "laps.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/lap_expert.hpp"

using namespace limn;
using testing::difference, testing::make_pass, testing::message_of, testing::random_tensor;
using D = CpuDouble;

namespace {

/// How a picture (n, h, w, c) stands in a volume.
enum class Put { as_slice, on_end };

Shape put(const Shape& s, Put how) {
  return how == Put::as_slice ? Shape{s[0], 1, s[1], s[2], s[3]} : Shape{s[0], s[1], 1, s[2], s[3]};
}
Window3d put(const Window& w, Put how) {
  if (how == Put::as_slice) return {w};
  return {{1, w.kernel_w, 1, w.stride_w, 0, w.pad_w}, w.kernel_h, w.stride_h, w.pad_h};
}

struct Numbers {
  std::vector<Tensor<D>> logits, twins;
  Tensor<D> masks;
};

/// The loss of three LAPs, and its gradients.
template <class Loss>
std::vector<Tensor<D>> outcome(const Loss& loss, const Numbers& in, const std::vector<Window>& windows,
                               const Put* how) {
  auto pass = make_pass<D>({1, 0, 2});
  const auto placed = [&](const Tensor<D>& t) { return how != nullptr ? t.reshape(put(t.shape(), *how)) : t; };
  pass.batch.masks = placed(in.masks);
  pass.batch.has_mask = {1, 0, 1};
  std::vector<Var<D>> leaves;
  Var<D> map = placed(in.masks);
  for (std::size_t l = 0; l < in.logits.size(); ++l) {
    if (how != nullptr) {
      pass.run.pooled(map, put(windows[l], *how));
    } else {
      pass.run.pooled(map, windows[l]);
    }
    map = leaf(placed(in.logits[l]));
    leaves.push_back(map);
    leaves.push_back(leaf(placed(in.twins[l])));
    pass.run.laps.push_back({leaves[2 * l], leaves[2 * l + 1], testing::three_clues.table()});
  }
  const Var<D> value = loss(pass.step());
  std::vector<Tensor<D>> out{value.value()};
  for (const Var<D>& d : grad<D>({value}, leaves))
    out.push_back(d.value().reshape(in.logits[(out.size() - 1) / 2].shape()));
  return out;
}

template <class Loss>
void same_as_of_pictures(const Loss& loss) {
  const std::vector<Window> windows{Window::square(3, 1, 1), Window::square(3, 2, 1), Window::square(2, 2)};
  Numbers in;
  Shape shape{3, 9, 8, 1};
  in.masks = Tensor<D>(shape, 0.);
  for (Index i = 0; i < 3; ++i)
    for (Index y = 2; y < 6; ++y)
      for (Index x = 1; x < 4 + i; ++x) in.masks(i, y, x, 0) = 1;
  for (const Window& w : windows) {
    shape = {3, w.out_h(shape[1]), w.out_w(shape[2]), 3};
    in.logits.push_back(random_tensor<D>(shape, text("own", shape[1])));
    in.twins.push_back(random_tensor<D>(shape, text("twin", shape[1])));
  }
  const auto expected = outcome(loss, in, windows, nullptr);
  CHECK(expected[0].item() > 0);
  for (const Put how : {Put::as_slice, Put::on_end}) {
    const auto found = outcome(loss, in, windows, &how);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(difference(found[i], expected[i]) < 1e-12);
  }
}

/// The concordance knows no twins.
struct ConcordanceAndTwins {
  Var<D> operator()(const Step<D>& step) const {
    Var<D> total = LapConcordance{}(step);
    for (const auto& lap : step.run.laps) total = total + sum(lap.discriminative) * 0.;
    return total;
  }
};

}  // namespace

TEST_CASE("supervision, by all maps and by the own one") {
  same_as_of_pictures(LapSupervision{{.1f, .5f, .2f}});
  same_as_of_pictures(LapSupervision{{.1f, .5f, .2f, Reference::own}});
}

TEST_CASE("supervision by masks") { same_as_of_pictures(LapExpertSupervision{{.1f, .5f, .2f}}); }

TEST_CASE("concordance") { same_as_of_pictures(ConcordanceAndTwins{}); }

TEST_CASE("by hand: the elements of a volume are counted along all three axes") {
  auto pass = make_pass<D>({1});
  Tensor<D> logits(Shape{1, 2, 2, 2, 1}, {-3, 1, 0, 2, -1, 3, -2, 0.5});
  pass.run.laps.push_back({leaf(logits), {}, testing::one_clue.table()});
  // A quarter is two elements, 3 and 2: each -ln sigmoid, twice over two.
  const double expected = std::log1p(std::exp(-3.)) + std::log1p(std::exp(-2.));
  CHECK(LapSupervision{{.25f, 1, .1f}}(pass.step()).item() == doctest::Approx(expected));
}

TEST_CASE("the gradient on volumes agrees with differences, the chosen elements held fixed") {
  const auto apart = [](const Shape& shape, Index stride) {
    Tensor<D> t(shape);
    for (Index i = 0; i < t.size(); ++i) t.data()[i] = 0.05 * static_cast<double>(i * stride % t.size()) - 1.3;
    return t;
  };
  const Differentiable f = [&](const std::vector<Var<D>>& x) -> std::vector<Var<D>> {
    auto pass = make_pass<D>({1, 0});
    pass.run.laps.push_back({x[0], {}, testing::one_clue.table()});
    pass.run.laps.push_back({x[1], {}, testing::one_clue.table()});
    return {LapSupervision{{.2f, .6f, .3f}}(pass.step()) + LapConcordance{}(pass.step())};
  };
  const std::vector<Tensor<D>> at{apart({2, 3, 2, 4, 1}, 7), apart({2, 2, 2, 2, 1}, 5)};
  CHECK(check_gradient(f, at).error < 1e-6);
  CHECK(check_second_order(f, at).error < 1e-6);
}

TEST_CASE("masks of pictures do not fit volumes") {
  auto pass = make_pass<D>({1});
  pass.run.laps.push_back({random_tensor<D>({1, 2, 2, 2, 1}, "own"), {}, testing::one_clue.table()});
  pass.batch.masks = Tensor<D>(Shape{1, 4, 4, 1}, 1.);
  pass.batch.has_mask = {1};
  CHECK(message_of([&] { (void)LapExpertSupervision{}(pass.step()); }) ==
        "lap_expert_supervision: 1 labels, but masks of (1, 4, 4, 1), 1 of them given");
}

// Every design of an explanation loss against its equation, written here as loops over numbers; scaling, gates and
// masks on maps by hand.
#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/loss/explanation/explanation.hpp"

using namespace limn;
using testing::random_tensor;
using D = CpuDouble;
using Numbers = std::vector<double>;

namespace {

/// Maps and masks of two pictures of 3 x 4, values inside (0, 1).
Tensor<D> some_maps() {
  Tensor<D> out = random_tensor<D>({2, 3, 4, 1}, "maps");
  for (double& v : out.span()) v = .05 + .9 / (1 + std::exp(-v));
  return out;
}
Tensor<D> some_masks() {
  Tensor<D> out(Shape{2, 3, 4, 1}, 0.);
  out(0, 1, 1, 0) = out(0, 1, 2, 0) = 1;
  out(0, 2, 1, 0) = .25;  // averaged masks are not only 0 and 1
  out(1, 0, 3, 0) = 1;
  return out;
}
Numbers numbers(const Tensor<D>& t, Index picture) {
  const Index size = t.size() / t.dim(0);
  return {t.data() + picture * size, t.data() + (picture + 1) * size};
}
double total(const Numbers& a) {
  double sum = 0;
  for (const double v : a) sum += v;
  return sum;
}
/// f over pairs, summed.
double over(const Numbers& h, const Numbers& m, const std::function<double(double h, double m)>& f) {
  double sum = 0;
  for (std::size_t i = 0; i < h.size(); ++i) sum += f(h[i], m[i]);
  return sum;
}

template <class Design>
void check(const Design& design, const std::function<double(const Numbers& h, const Numbers& m)>& equation) {
  CAPTURE(std::string(Design::name));
  const Tensor<D> maps = some_maps(), masks = some_masks();
  const Tensor<D> values = design(Var<D>(maps), Var<D>(masks)).value();
  REQUIRE(values.shape() == Shape{2, 1, 1, 1});
  for (Index i = 0; i < 2; ++i)
    CHECK(values.data()[i] == doctest::Approx(equation(numbers(maps, i), numbers(masks, i))).epsilon(1e-10));
  const limn::Differentiable f = [&](const auto& x) { return std::vector<Var<D>>{design(x[0], Var<D>(masks))}; };
  CHECK(check_gradient(f, {maps}).error < 1e-7);
  CHECK(check_second_order(f, {maps}).error < 1e-6);

  // Maps of zeros and of ones: finite values, finite gradients, in float too.
  for (const float all : {0.f, 1.f}) {
    const auto x = leaf(Tensor<Cpu>(Shape{1, 2, 2, 1}, all));
    const Tensor<Cpu> mask(Shape{1, 2, 2, 1}, {1, 0, 0, 0});
    const Var<Cpu> value = sum(design(x, Var<Cpu>(mask)));
    CHECK(std::isfinite(value.item()));
    const Tensor<Cpu> gradient = grad(value, x).value();
    for (const float v : gradient.span()) CHECK(std::isfinite(v));
  }
}

}  // namespace

TEST_CASE("designs are their equations") {
  const double margin = static_cast<double>(1e-3f);
  check(OutsideMass{}, [](const Numbers& h, const Numbers& m) {
    return 1 - over(h, m, [](double a, double b) { return a * b; }) / total(h);
  });
  check(Dice{}, [](const Numbers& h, const Numbers& m) {
    return 1 - 2 * over(h, m, [](double a, double b) { return a * b; }) / (total(h) + total(m));
  });
  check(Bce{}, [=](const Numbers& h, const Numbers& m) {
    return over(h, m,
                [=](double a, double b) {
                  const double p = margin + (1 - 2 * margin) * a;
                  return -b * std::log(p) - (1 - b) * std::log(1 - p);
                }) /
           12;
  });
  check(Mse{}, [](const Numbers& h, const Numbers& m) {
    return over(h, m, [](double a, double b) { return (a - b) * (a - b); }) / 12;
  });
  check(L1{}, [](const Numbers& h, const Numbers& m) {
    return over(h, m, [](double a, double b) { return std::abs(a - b); }) / 12;
  });
  check(Haics{}, [=](const Numbers& h, const Numbers& m) {
    return -over(h, m, [=](double a, double b) { return b * std::log(margin + (1 - 2 * margin) * a); }) / total(m);
  });
  check(RrrStar{}, [](const Numbers& h, const Numbers& m) {
    return over(h, m, [](double a, double b) { return (1 - b) * a * a; }) / 12;
  });
  check(Rrr{}, [](const Numbers& h, const Numbers& m) {
    return over(h, m, [](double a, double b) { return (1 - b) * (1 - b) * a * a; });
  });
  check(Kl{}, [=](const Numbers& h, const Numbers& m) {
    const double mass = total(h) + 12 * margin;
    return over(h, m, [&](double a, double b) {
      const double p = b / total(m);
      return p > 0 ? p * std::log(p / ((a + margin) / mass)) : 0;
    });
  });
  check(Res{.slack = .2f, .blur = 0, .imputed = false}, [](const Numbers& h, const Numbers& m) {
    return over(h, m, [](double a, double b) { return std::max(0., std::abs(a - b) - static_cast<double>(.2f)); }) / 12;
  });
}

TEST_CASE("Haics costs nothing outside, RRR nothing inside") {
  Tensor<D> map(Shape{1, 1, 3, 1}, {.5, .2, .9});
  const Tensor<D> mask(Shape{1, 1, 3, 1}, {1, 0, 0});
  const double haics = Haics{}(Var<D>(map), Var<D>(mask)).item(), rrr = Rrr{}(Var<D>(map), Var<D>(mask)).item();
  map(0, 0, 2, 0) = .1;
  CHECK(Haics{}(Var<D>(map), Var<D>(mask)).item() == haics);
  map = Tensor<D>(Shape{1, 1, 3, 1}, {77, .2, .9});
  CHECK(Rrr{}(Var<D>(map), Var<D>(mask)).item() == rrr);
}

TEST_CASE("what RES aims at") {
  // A blur of one dot by hand: exp(-d^2 / 2) at a distance of d, with the sum of the weights that lie inside.
  const Tensor<D> dot(Shape{1, 1, 5, 1}, {0, 0, 1, 0, 0}), two(Shape{1, 1, 5, 1}, {1, .5, 0, 0, 0});
  const auto e = [](double d) { return std::exp(-d * d / 2); };
  const double side = 1 + 2 * e(1) + 2 * e(2), second = 1 + 2 * e(1) + e(2) + e(3), first = 1 + e(1) + e(2) + e(3);
  const Tensor<D> blurred = Res{.blur = 1, .imputed = false}.target(dot);
  CHECK(blurred(0, 0, 2, 0) == 1);
  CHECK(blurred(0, 0, 1, 0) == doctest::Approx(e(1) / second * side));
  CHECK(blurred(0, 0, 0, 0) == doctest::Approx(e(2) / first * side));
  CHECK(blurred(0, 0, 4, 0) == blurred(0, 0, 0, 0));
  const Tensor<D> imputed = Res{.blur = 1, .imputed = true}.target(two),
                  plain = Res{.blur = 1, .imputed = false}.target(two);
  CHECK(imputed(0, 0, 0, 0) == 1);
  CHECK(imputed(0, 0, 1, 0) >= .5);
  CHECK(imputed(0, 0, 3, 0) == plain(0, 0, 3, 0));
  CHECK(imputed(0, 0, 3, 0) > 0);
  CHECK(testing::message_of([&] { (void)Res{.slack = -1}.target(dot); }) ==
        "res: slack and blur must not be below 0, got -1 and 1");
  // The other axis is blurred alike.
  const Tensor<D> upright = Res{.blur = 1, .imputed = false}.target(dot.reshape({1, 5, 1, 1}));
  for (Index i = 0; i < 5; ++i) CHECK(upright.data()[i] == doctest::Approx(blurred.data()[i]));
}

TEST_CASE("min-max of every picture by itself; flat maps are 0 and pass no gradient") {
  const Tensor<D> maps(Shape{3, 1, 4, 1}, {1, 3, 2, 5, 7, 7, 7, 7, 0, 1e-9, 5e-10, 0});
  const auto x = leaf(maps);
  const Var<D> y = detail::min_max(x);
  const Numbers expected{0, .5, .25, 1, 0, 0, 0, 0, 0, 1, .5, 0};
  for (Index i = 0; i < 12; ++i) CHECK(y.value().data()[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]));
  const Tensor<D> d = grad(sum(y * Var<D>(random_tensor<D>(maps.shape(), "weights"))), x).value();
  for (Index i = 0; i < 12; ++i) {
    CHECK(std::isfinite(d.data()[i]));
    if (i >= 4 && i < 8) CHECK(d.data()[i] == 0);
  }
  const limn::Differentiable f = [](const auto& in) { return std::vector<Var<D>>{detail::min_max(in[0])}; };
  CHECK(check_gradient(f, {some_maps()}).error < 1e-7);
  CHECK(check_second_order(f, {some_maps()}).error < 1e-6);
  // Tiny, huge and all-zero maps in float.
  for (const float scale : {1e-28f, 1e30f, 0.f}) {
    const auto t = leaf(Tensor<Cpu>(Shape{1, 2, 2, 1}, {0, scale, scale / 2, 0}));
    const Var<Cpu> scaled = detail::min_max(t);
    CHECK(scaled.value().data()[2] == (scale > 0 ? .5f : 0.f));
    const Tensor<Cpu> gradient = grad(sum(square(scaled)), t).value();
    for (const float v : gradient.span()) CHECK(std::isfinite(v));
  }
}

TEST_CASE("the gate keeps exactly ceil(top n) elements, the first of equals") {
  const Tensor<D> maps(Shape{2, 1, 5, 1}, {.5, .9, .5, .5, .1, .3, .3, .3, .3, .3});
  const auto kept = [&](float top) { return numbers(detail::gated(Var<D>(maps), top, Gate::soft_values).value(), 0); };
  CHECK(kept(.2f) == Numbers{0, .9, 0, 0, 0});
  CHECK(kept(.4f) == Numbers{.5, .9, 0, 0, 0});
  CHECK(kept(.5f) == Numbers{.5, .9, .5, 0, 0});  // ceil(2.5)
  CHECK(kept(.6f) == Numbers{.5, .9, .5, 0, 0});  // .6f * 5 is above 3
  CHECK(kept(.8f) == Numbers{.5, .9, .5, .5, 0});
  CHECK(kept(1) == Numbers{.5, .9, .5, .5, .1});
  CHECK(numbers(detail::gated(Var<D>(maps), .5f, Gate::soft_values).value(), 1) == Numbers{.3, .3, .3, 0, 0});
  // sigmoid((H - q) / T), q between the last kept and the first left out.
  const Tensor<D> soft = detail::gated(Var<D>(maps), .2f, Gate::sigmoid(.1f)).value();
  const double t = static_cast<double>(.1f);
  for (Index i = 0; i < 5; ++i)
    CHECK(soft.data()[i] == doctest::Approx(1 / (1 + std::exp(-(maps.data()[i] - .7) / t))));
  CHECK(soft.data()[7] == .5);
  // Which elements are kept has no derivative: the gradient of a kept value is 1, of another 0.
  const auto x = leaf(maps);
  CHECK(numbers(grad(sum(detail::gated(x, .4f, Gate::soft_values)), x).value(), 0) == Numbers{1, 1, 0, 0, 0});
  for (const Gate gate : {Gate::soft_values, Gate::sigmoid(.3f)}) {
    const limn::Differentiable f = [&](const auto& in) { return std::vector<Var<D>>{detail::gated(in[0], .3f, gate)}; };
    CHECK(check_gradient(f, {some_maps()}).error < 1e-8);
    CHECK(check_second_order(f, {some_maps()}).error < 1e-7);
  }
}

TEST_CASE("a mask on the elements of a map: weighted means in which every pixel counts") {
  Tensor<D> mask(Shape{1, 4, 4, 1}, 0.);
  mask(0, 0, 0, 0) = 1;
  const Tensor<D> small = detail::mask_on(mask, 2, 2, Grid{GridAxis::covering(4, 2), GridAxis::covering(4, 2)});
  // Elements lie at pixels 0.5 and 2.5. Pixel 0 belongs to the first alone, pixels 1 and 2 to one by 3/4 and to the
  // other by 1/4, pixel 3 to the second alone: each element has 2 pixels' worth in an axis.
  CHECK(small(0, 0, 0, 0) == doctest::Approx(.25));
  CHECK(small(0, 0, 1, 0) == 0);
  // The same map after windows of 3 with stride 2 and padding 1: elements at pixels 0 and 2.
  const Grid strided = Grid{}.pooled(Window::square(3, 2, 1));
  const Tensor<D> other = detail::mask_on(mask, 2, 2, strided);
  CHECK(other(0, 0, 0, 0) == doctest::Approx(1 / 2.25));  // 1 + 1/2 pixels in an axis
  // Sums over the picture are kept: resized map times mask is map times mask, with the weights of the elements.
  Tensor<D> random = random_tensor<D>({2, 7, 5, 1}, "mask");
  for (double& v : random.span()) v = v > .5 ? 1 : 0;
  const Tensor<D> map = random_tensor<D>({2, 3, 2, 1}, "map");
  const Grid grid{GridAxis::covering(7, 3), GridAxis::covering(5, 2)};
  const auto sampled = resize(Var<D>(map), 7, 5, grid, Grid{});
  const double on_picture = sum(sampled * Var<D>(random)).item();
  const Var<D> weight = resize_input(Var<D>(Tensor<D>(Shape{1, 7, 5, 1}, 1.)), Shape{1, 3, 2, 1},
                                     grid.rows.sampling({}), grid.columns.sampling({}));
  CHECK(sum(Var<D>(map) * Var<D>(detail::mask_on(random, 3, 2, grid)) * weight).item() == doctest::Approx(on_picture));
  const Tensor<D> full = detail::mask_on(Tensor<D>(Shape{1, 7, 5, 1}, 1.), 3, 2, grid);
  for (const double v : full.span()) CHECK(v == doctest::Approx(1));
  // A single pixel never vanishes.
  for (Index pixel = 0; pixel < 64; ++pixel) {
    Tensor<D> speck(Shape{1, 8, 8, 1}, 0.);
    speck.data()[pixel] = 1;
    CHECK(sum(Var<D>(detail::mask_on(speck, 3, 2, Grid{GridAxis::covering(8, 3), GridAxis::covering(8, 2)}))).item() >
          .01);
  }
}

// The limits of LAP-Pool (appendix C.1), the fused kernel against the composition, batches, and the shared shortcut.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/lap.hpp"

using namespace limn;
using testing::difference, testing::random_tensor, testing::same_bits;
using D = CpuDouble;

namespace {

/// Scores in [0, 1], all different.
template <Backend B>
Tensor<B> scores(Index n, Index h, Index w) {
  Tensor<B> q(Shape{n, h, w, 1});
  for (Index i = 0; i < q.size(); ++i)
    q.data()[i] =
        static_cast<typename B::scalar>(static_cast<double>(i * 37 % q.size()) / static_cast<double>(q.size()));
  return q;
}

template <Backend B>
Var<B> alpha_of(double value) {
  return leaf(Tensor<B>(Shape{1}, static_cast<typename B::scalar>(value)));
}

/// Calls visit(out_y, out_x, positions in the image) for every window.
template <class Visit>
void windows(Index h, Index w, const Window& win, const Visit& visit) {
  for (Index oy = 0; oy < win.out_h(h); ++oy)
    for (Index ox = 0; ox < win.out_w(w); ++ox) {
      std::vector<std::pair<Index, Index>> at;
      for (Index y = 0; y < h; ++y)
        for (Index x = 0; x < w; ++x) {
          const Index dy = y - (oy * win.stride_h - win.pad_h), dx = x - (ox * win.stride_w - win.pad_w);
          if (dy >= 0 && dy < win.kernel_h && dx >= 0 && dx < win.kernel_w) at.emplace_back(y, x);
        }
      visit(oy, ox, at);
    }
}

const Window kinds[] = {Window::square(3, 2, 1), Window::square(2, 2), Window{5, 4}, Window{3, 2, 1, 2, 1, 0}};

}  // namespace

TEST_CASE("alpha = 0 is the mean of the elements inside the image") {
  const Tensor<D> x = random_tensor<D>({2, 5, 4, 3}, "x"), q = scores<D>(2, 5, 4);
  for (const Window& win : kinds) {
    const Tensor<D> y = lap_pool(Var<D>(x), Var<D>(q), alpha_of<D>(0), win).value();
    for (Index n = 0; n < 2; ++n)
      windows(5, 4, win, [&](Index oy, Index ox, const auto& at) {
        for (Index c = 0; c < 3; ++c) {
          double sum = 0;
          for (const auto& [i, j] : at) sum += x(n, i, j, c);
          CHECK(y(n, oy, ox, c) == doctest::Approx(sum / static_cast<double>(at.size())));
        }
      });
  }
}

TEST_CASE("a large alpha takes the element with the best score, up to eps") {
  const Tensor<D> x = random_tensor<D>({2, 5, 4, 3}, "x"), q = scores<D>(2, 5, 4);
  for (const Window& win : kinds) {
    const Tensor<D> y = lap_pool(Var<D>(x), Var<D>(q), alpha_of<D>(1e6), win, 1e-9).value();
    for (Index n = 0; n < 2; ++n)
      windows(5, 4, win, [&](Index oy, Index ox, const auto& at) {
        auto best = at.front();
        for (const auto& [i, j] : at)
          if (q(n, i, j, 0) > q(n, best.first, best.second, 0)) best = {i, j};
        for (Index c = 0; c < 3; ++c)
          CHECK(y(n, oy, ox, c) == doctest::Approx(x(n, best.first, best.second, c)).epsilon(1e-6));
      });
  }
}

TEST_CASE("eps keeps a gradient for every element, however large alpha is") {
  // One window of four elements, alpha so large that all weights but the best are eps alone: the shares are
  // eps / (1 + 4 eps), and (1 + eps) / (1 + 4 eps) for the best.
  const double eps = 1e-3;
  const Var<D> x = leaf(random_tensor<D>({1, 2, 2, 1}, "x"));
  const Var<D> q = Tensor<D>(Shape{1, 2, 2, 1}, {0.1, 0.9, 0.4, 0.2});
  const Tensor<D> d = grad(sum(lap_pool(x, q, alpha_of<D>(1e6), Window::square(2, 2), eps)), x).value();
  for (Index i = 0; i < 4; ++i)
    CHECK(d.data()[i] == doctest::Approx((i == 1 ? 1 + eps : eps) / (1 + 4 * eps)).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("the fused kernel and the composition agree in value and gradient", B, Cpu, CpuDouble) {
  using S = typename B::scalar;
  const double tolerance = std::is_same_v<B, Cpu> ? 2e-5 : 1e-12;
  for (const Window& win : kinds)
    for (const double alpha : {0., 0.7, 3., 40.}) {
      const Var<B> x = leaf(random_tensor<B>({2, 5, 4, 3}, "x")), q = leaf(scores<B>(2, 5, 4)), a = alpha_of<B>(alpha);
      const Var<B> fused = lap_pool(x, q, a, win, S(1e-3)), composed = lap_pool_composed(x, q, a, win, S(1e-3));
      CHECK(difference(fused.value(), composed.value()) < tolerance);
      const Var<B> up = random_tensor<B>(fused.shape(), "up");
      const auto d = grad<B>({fused}, {x, q, a}, {.upstream = {up}});
      const auto e = grad<B>({composed}, {x, q, a}, {.upstream = {up}});
      for (std::size_t i = 0; i < 3; ++i) CHECK(difference(d[i].value(), e[i].value()) < tolerance * 10);
    }
}

TEST_CASE("a batch is pooled with the bits of its pictures, one by one") {
  const Tensor<Cpu> x = random_tensor<Cpu>({5, 9, 7, 8}, "x"), q = scores<Cpu>(5, 9, 7);
  for (const Window& win : {Window::square(3, 2, 1), Window{9, 7}}) {
    const Tensor<Cpu> all = lap_pool(Var<Cpu>(x), Var<Cpu>(q), alpha_of<Cpu>(2), win).value();
    for (Index i = 0; i < 5; ++i) {
      const Var<Cpu> one = testing::picture(x, i), its = testing::picture(q, i);
      CHECK(same_bits(lap_pool(one, its, alpha_of<Cpu>(2), win).value(), testing::picture(all, i)));
    }
  }
}

TEST_CASE("the layers give a picture the same answer in a batch as alone, up to rounding") {
  // Not to the bit: the head is a matrix product, which sums in another order for another number of rows.
  LapPool<Cpu, 8, lap::one_vs_others<3>(), 3, 2, 1> windowed;
  LapPool<Cpu, 8, lap::one_vs_others<3>(), 0> global;
  initialise(windowed, Seed{1});
  initialise(global, Seed{2});
  const Tensor<Cpu> x = random_tensor<Cpu>({5, 9, 7, 8}, "x");
  const auto check = [&](const auto& layer) {
    Run<Cpu> run;
    const Tensor<Cpu> all = run(layer, Var<Cpu>(x)).value();
    for (Index i = 0; i < 5; ++i) {
      Run<Cpu> one;
      CHECK(difference(one(layer, Var<Cpu>(testing::picture(x, i))).value(), testing::picture(all, i)) < 1e-5);
    }
  };
  check(windowed);
  check(global);
}

TEST_CASE("pooling before a 1x1 convolution is the convolution before pooling") {
  // Both are linear along different axes, with the same weights map: what lets conv1 and the shortcut share one LAP.
  const Var<D> x = random_tensor<D>({2, 6, 6, 4}, "x"), q = scores<D>(2, 6, 6);
  const Var<D> weight = random_tensor<D>({5, 1, 1, 4}, "weight"), alpha = alpha_of<D>(2.5);
  const Window win = Window::square(3, 2, 1);
  CHECK(difference(conv2d(lap_pool(x, q, alpha, win), weight).value(),
                   lap_pool(conv2d(x, weight), q, alpha, win).value()) < 1e-12);
}

TEST_CASE("the score is the sum of the clues' importance, and pooling is the layer's kernel") {
  LapPool<D, 4, lap::one_vs_others<3>(), 2, 2> layer;
  initialise(layer, Seed{5});
  const Var<D> x = random_tensor<D>({2, 4, 6, 4}, "x");
  Run<D> run;
  const Tensor<D> y = run(layer, x).value();
  const Tensor<D> logits = run.laps.at(0).logits.value();
  Tensor<D> q(Shape{2, 4, 6, 1}, 0);
  for (Index i = 0; i < logits.size(); ++i) q.data()[i / 3] += 1 / (1 + std::exp(-logits.data()[i]));
  CHECK(layer.alpha.value().item() == 1);
  CHECK(difference(y, lap_pool_composed(x, Var<D>(q), alpha_of<D>(1), Window::square(2, 2), 1e-3).value()) < 1e-6);
}

TEST_CASE_TEMPLATE("the largest importance, or a learned mix, as scores: over windows and the whole map", Pool,
                   LapPool<D, 4, lap::one_vs_others<3>(), 2, 2, 0, lap::Aggregate::maximum>,
                   LapPool<D, 4, lap::one_vs_others<3>(), 2, 2, 0, lap::Aggregate::learned>,
                   LapPool<D, 4, lap::one_vs_others<3>(), 0, 1, 0, lap::Aggregate::maximum>,
                   LapPool<D, 4, lap::one_vs_others<3>(), 0, 1, 0, lap::Aggregate::learned>) {
  Pool layer;
  initialise(layer, Seed{5});
  layer.head.out.weight.value() = random_tensor<D>({3, 8}, "opinion");
  layer.alpha.value().fill(1.7);
  double mix[] = {1, 1, 1};
  const Var<D> x = random_tensor<D>({2, 4, 6, 4}, "x");
  for (const bool mixed : {false, true}) {
    if constexpr (Pool::learned) {
      if (mixed) layer.aggregate.weight.value() = Tensor<D>(Shape{1, 3}, {mix[0] = .5, mix[1] = -2, mix[2] = 3});
    }
    Run<D> run;
    const Tensor<D> y = run(layer, x).value(), logits = run.laps.at(0).logits.value();
    Tensor<D> expected(y.shape(), 0.);
    const Window win = Pool::global ? Window{4, 6} : Window::square(2, 2);
    for (Index n = 0; n < 2; ++n)
      windows(4, 6, win, [&](Index oy, Index ox, const auto& at) {  // Eq. 6 and 7
        std::vector<double> q;
        for (const auto& [i, j] : at) {
          double p[3], sum = 0;
          for (Index m = 0; m < 3; ++m) p[m] = 1 / (1 + std::exp(-logits(n, i, j, m)));
          for (Index m = 0; m < 3; ++m) sum += mix[m] * p[m];
          q.push_back(Pool::learned ? sum : std::max({p[0], p[1], p[2]}));
        }
        const double best = *std::max_element(q.begin(), q.end());
        double all = 0;
        for (std::size_t e = 0; e < q.size(); ++e) {
          const double weight = std::exp(-1.7 * 1.7 * (best - q[e]) * (best - q[e])) + 1e-3;
          all += weight;
          for (Index c = 0; c < 4; ++c) expected(n, oy, ox, c) += weight * x.value()(n, at[e].first, at[e].second, c);
        }
        for (Index c = 0; c < 4; ++c) expected(n, oy, ox, c) /= all;
      });
    CHECK(difference(y, expected) < 1e-6);
  }
  CHECK(leaves(layer).size() == (Pool::learned ? 10 : 9));
}

TEST_CASE("the twin scorer sends nothing back into the network") {
  LapPool<D, 4, lap::binary(), 2, 2> layer;
  initialise(layer, Seed{5});
  Run<D> run;
  run.training = true;
  const Var<D> x = leaf(random_tensor<D>({1, 4, 4, 4}, "x"));
  (void)run(layer, x);
  const Var<D> score = sum(run.laps[0].discriminative);
  const auto d = grad<D>({score}, {x, layer.head.hidden.weight, layer.discriminative.out.bias});
  for (const double v : d[0].value().span()) CHECK(v == 0);
  for (const double v : d[1].value().span()) CHECK(v == 0);
  CHECK(d[2].value().item() == 16);  // its own parameters do learn: one per element
}

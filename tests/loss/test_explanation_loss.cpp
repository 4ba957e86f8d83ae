// Explanation losses in whole networks: exact gradients of the parameters, constant weights, which pictures count, and
// what must stay finite.
#include <doctest/doctest.h>

#include <functional>

#include "../nn/helpers.hpp"
#include "limn/autograd/check.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation/explanation.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor, testing::same_bits;
using D = CpuDouble;

namespace {

/// Convolutions, batch norms, a ReLU and a pooling, two classes; the layer that is explained is "4".
template <Backend B>
using Net =
    Sequential<Conv2d<B, 2, 3, 3, 1, 1, false>, BatchNorm2d<B, 3>, Relu<B>, MaxPool2d<B, 2>, Conv2d<B, 3, 4, 3, 1, 1>,
               BatchNorm2d<B, 4>, Relu<B>, GlobalAverage<B>, Flatten<B>, Linear<B, 4, 2>>;

template <Backend B>
Net<B> network() {
  Net<B> net;
  initialise(net, Seed{4});
  for (auto& v : limn::at<"9.weight">(net).value().span()) v *= 3;  // clear scores
  return net;
}

/// Four pictures of 6 x 8: two annotated positives, an annotated negative with nothing to see, one not annotated.
template <Backend B>
Batch<B> batch() {
  Batch<B> out{random_tensor<B>({4, 6, 8, 2}, "images"), {1, 0, 1, 1}, Tensor<B>(Shape{4, 6, 8, 1}, 0), {1, 1, 1, 0}};
  for (Index y = 1; y < 4; ++y)
    for (Index x = 2; x < 5; ++x) out.masks(0, y, x, 0) = 1;
  for (Index y = 3; y < 6; ++y) out.masks(2, y, 7, 0) = 1;
  out.masks(3, 0, 0, 0) = 1;  // meaningless: has_mask is 0
  return out;
}

template <Backend B, class L, class N>
Var<B> value_of(const L& loss, const N& net, const Batch<B>& data, bool training = true) {
  const auto sum = as_loss(loss);
  Run<B> run;
  run.training = training;
  sum.watch(net, run);
  const Var<B> logits = run(net, run.input(data.images));
  return sum(Step<B>{data, logits, run}).total;
}

template <Backend B, class L, class N>
std::vector<Tensor<B>> gradients(const L& loss, const N& net, const Batch<B>& data) {
  std::vector<Var<B>> all;
  for (const auto& p : parameters(net)) all.push_back(*p.parameter);
  std::vector<Tensor<B>> out;
  for (const auto& g : grad<B>({value_of<B>(loss, net, data)}, all)) out.push_back(g.value());
  return out;
}
template <Backend B>
double size_of(const std::vector<Tensor<B>>& all) {
  double sum = 0;
  for (const auto& t : all)
    for (const auto v : t.span()) sum += std::abs(static_cast<double>(v));
  return sum;
}

struct OneNumber {  // not one for each picture
  static constexpr const char* name = "one_number";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>&) const {
    return mean(map);
  }
};
struct Channels {  // not one map for each picture
  template <Backend B>
  Var<B> saliency(const explain::Question<B>& question) const {
    return question.run.watched_input();
  }
  template <class N, Backend B>
  void watch(const N&, Run<B>& run) const {
    run.watch_input();
  }
};

/// The gradient of the total loss against differences, for every parameter: the largest error.
template <class L>
CheckResult error_of(const L& loss) {
  auto net = network<D>();
  const auto all = parameters(net);
  std::vector<Tensor<D>> at;
  for (const auto& p : all) at.push_back(p.parameter->value().clone());
  const auto data = batch<D>();
  const limn::Differentiable f = [&](const std::vector<Var<D>>& in) -> std::vector<Var<D>> {
    for (std::size_t i = 0; i < all.size(); ++i) all[i].parameter->bind(in[i]);
    return {value_of<D>(loss, net, data)};
  };
  return check_gradient(f, at, {.step = 1e-6, .tolerance = 1e-6, .seed = Seed{1}, .most = 40});
}
template <class L>
void check_whole(const std::string& what, const L& loss) {
  CAPTURE(what);
  const CheckResult result = error_of(loss);
  CAPTURE(result.where);
  CHECK(result.error < 2e-6);
}

}  // namespace

TEST_CASE("the gradient of the whole loss agrees with differences: Grad-CAM, batch norm in training") {
  using Cam = GradCam<"4">;
  const auto with = [](const auto& term) { return CrossEntropy{} + .5f * term; };
  check_whole("outside mass", with(ExplanationLoss<Cam, OutsideMass>{}));
  check_whole("outside mass alone", ExplanationLoss<Cam, OutsideMass>{});
  check_whole("half, soft values", with(ExplanationLoss<Cam, OutsideMass>{{.top = .5f}}));
  check_whole("half, sigmoid", with(ExplanationLoss<Cam, Dice>{{.top = .5f, .gate = Gate::sigmoid(.2f)}}));
  check_whole("on the picture", with(ExplanationLoss<Cam, OutsideMass>{{.compare = Compare::on_picture}}));
  check_whole("difference", with(ExplanationLoss<Cam, Mse>{{.score = Score::difference}}));
  check_whole("squared difference", with(ExplanationLoss<Cam, L1>{{.score = Score::squared_difference}}));
  check_whole("absolute, probabilities",
              with(ExplanationLoss<Cam, Bce>{{.score = Score::absolute_probability_difference}}));
  check_whole("no scale", with(ExplanationLoss<Cam, Mse>{{.scale = Scale::none}}));
  check_whole("kl", with(ExplanationLoss<Cam, Kl>{}));
  check_whole("haics", with(ExplanationLoss<Cam, Haics>{}));
  check_whole("res", with(ExplanationLoss<Cam, Res>{}));
  check_whole("no leak", with(ExplanationLoss<Cam, Dice>{{.leak = 0}}));
  check_whole("rrr*", with(ExplanationLoss<Cam, RrrStar>{}));
  // The check sees a part of the derivative that is missing.
  CHECK(error_of(with(ExplanationLoss<Cam, OutsideMass>{{.weights = Weights::constant}})).error > 1e-2);
}

TEST_CASE("the gradient of the whole loss agrees with differences: input gradient") {
  check_whole("outside mass", CrossEntropy{} + .5f * ExplanationLoss<explain::InputGradient, OutsideMass>{});
  check_whole("half", CrossEntropy{} + .5f * ExplanationLoss<explain::InputGradient, Dice>{{.top = .5f}});
  check_whole("rrr", CrossEntropy{} + 10.f * ExplanationLoss<explain::InputGradient, Rrr>{});
}

TEST_CASE("the weight of the last layer learns through the channels' weights, but not with constant ones") {
  // Without batch norm behind it the last layer has part in the map by second order only.
  const auto net = network<D>();
  const auto data = batch<D>();
  const auto last = [&](Weights weights) {
    const auto all = gradients<D>(ExplanationLoss<GradCam<"4">, OutsideMass>{{.weights = weights}}, net, data);
    return size_of<D>({all[all.size() - 2]});
  };
  CHECK(last(Weights::exact) > 1e-3);
  CHECK(last(Weights::constant) == 0);
}

TEST_CASE("several explanation losses share a pass") {
  const auto net = network<D>();
  const auto data = batch<D>();
  const ExplanationLoss<GradCam<"4">, OutsideMass> a;
  const ExplanationLoss<GradCam<"4">, Dice> b{{.weights = Weights::constant}};
  const ExplanationLoss<GradCam<"1">, Mse> c;
  const ExplanationLoss<explain::InputGradient, Rrr> d;
  CHECK(value_of<D>(a + b + c + d, net, data).item() ==
        doctest::Approx(value_of<D>(a, net, data).item() + value_of<D>(b, net, data).item() +
                        value_of<D>(c, net, data).item() + value_of<D>(d, net, data).item()));
  const auto all = gradients<D>(a + b + c + d, net, data), ga = gradients<D>(a, net, data),
             gb = gradients<D>(b, net, data), gc = gradients<D>(c, net, data), gd = gradients<D>(d, net, data);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (Index k = 0; k < all[i].size(); ++k)
      CHECK(all[i].data()[k] ==
            doctest::Approx(ga[i].data()[k] + gb[i].data()[k] + gc[i].data()[k] + gd[i].data()[k]).scale(1));
}

TEST_CASE("constant weights: the gradient is that with the channels' weights frozen") {
  const auto net = network<D>();
  const auto data = batch<D>();
  const ExplanationLoss<GradCam<"4">, OutsideMass> constant{{.top = .5f, .weights = Weights::constant, .leak = 0}},
      with_weights{{.top = .5f, .leak = 0}};
  // The same loss by hand, with weights that were computed in a pass of their own and are plain numbers here.
  const auto pass = [&](const auto& use) {
    Run<D> run;
    run.training = true;
    const auto tap = run.tap(limn::at<"4">(net));
    const Var<D> logits = run(net, Var<D>(data.images));
    return use(run, run.tapped(tap), logits);
  };
  const Tensor<D> weights = pass([&](const Run<D>&, const Var<D>& a, const Var<D>& logits) {
    const Var<D> score = take(logits, Tensor<CpuOf<std::int32_t>>(Shape{2}, {1, 5}));  // class 1 of pictures 0 and 2
    return mean(grad(sum(score), a), {1, 2}).value();
  });
  std::vector<Var<D>> all;
  for (const auto& p : parameters(net)) all.push_back(*p.parameter);
  const auto expected = pass([&](const Run<D>& run, const Var<D>& a, const Var<D>&) {
    const Var<D> cam = relu(sum(a * Var<D>(weights), {-1}));
    Var<D> total;
    for (const Index i : {0, 2}) {
      const Var<D> one = detail::gated(detail::min_max(slice(cam, 0, i, 1)), .5f, Gate::soft_values);
      const Tensor<D> mask =
          detail::mask_on(testing::picture(data.masks, i), a.dim(1), a.dim(2), run.grid(a.dim(1), a.dim(2)));
      const Var<D> outside = 1 - sum(one * Var<D>(mask)) / sum(one);
      total = total.empty() ? outside : total + outside;
    }
    return grad<D>({total * .5}, all);
  });
  const auto found = gradients<D>(constant, net, data);
  CHECK(size_of<D>(found) > 1e-2);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(testing::difference(found[i], expected[i].value()) < 1e-12);
  const auto exact = gradients<D>(with_weights, net, data);
  double apart = 0;
  for (std::size_t i = 0; i < all.size(); ++i) apart = std::max(apart, testing::difference(found[i], exact[i]));
  CHECK(apart > 1e-3);  // and that is another gradient than the exact one
  CHECK(value_of<D>(constant, net, data).item() == doctest::Approx(value_of<D>(with_weights, net, data).item()));
}

TEST_CASE("inside training an explainer gives the map that it gives afterwards") {
  const auto net = network<D>();
  const auto data = batch<D>();
  const auto check = [&](const auto& explainer) {
    Run<D> run;
    explainer.watch(net, run);
    const Var<D> logits = run(net, run.input(data.images));
    const Var<D> score = explain::class_score(logits, data.labels);
    const Tensor<D> map = explainer.saliency(explain::Question<D>{run, score, data.labels}).value();
    const auto after = explainer(net, data.images, data.labels);
    for (std::size_t i = 0; i < after.size(); ++i) {
      const explain::Map now = explain::map_of(map, static_cast<Index>(i));
      REQUIRE(now.shape() == after[i].map.shape());
      for (std::size_t k = 0; k < now.size(); ++k) CHECK(now.data()[k] == doctest::Approx(after[i].map.data()[k]));
    }
    CHECK(sum(Var<D>(map)).item() > .01);
  };
  check(GradCam<"4">{});
  check(explain::InputGradient{});
}

TEST_CASE("a map that a ReLU would make 0 everywhere still learns, by the leak") {
  auto net = network<D>();
  auto& weight = limn::at<"9.weight">(net).value();
  const auto data = batch<D>();
  for (double& v : weight.span()) v = std::abs(v);
  for (Index c = 0; c < 4; ++c) weight(1, c) *= -1;  // everything speaks against class 1
  auto& bias = limn::at<"5.bias">(net).value();
  bias.fill(9);
  const auto loss = [](float leak) { return ExplanationLoss<GradCam<"6">, OutsideMass>{{.leak = leak}}; };
  CHECK(value_of<D>(loss(0), net, data).item() == 1);
  CHECK(size_of<D>(gradients<D>(loss(0), net, data)) == 0);
  const double outside = value_of<D>(loss(.01f), net, data).item();
  CHECK(outside < 1);
  CHECK(outside > 0);
  CHECK(size_of<D>(gradients<D>(loss(.01f), net, data)) > 1e-2);
}

TEST_CASE("only annotated positives count, and without any the loss is exactly 0") {
  const auto net = network<D>();
  const ExplanationLoss<GradCam<"4">, OutsideMass> loss;
  const auto data = batch<D>();
  const double value = value_of<D>(loss, net, data).item();
  CHECK(value > 0);
  auto other = batch<D>();  // what is not annotated may hold anything
  other.masks(3, 2, 2, 0) = 1;
  CHECK(value_of<D>(loss, net, other).item() == value);
  other.has_mask = {1, 1, 1, 1};
  CHECK(value_of<D>(loss, net, other).item() != value);
  // Of one class alone: the same as hiding the other masks.
  other = batch<D>();
  other.masks(1, 2, 2, 0) = 1;  // an annotated picture of class 0
  CHECK(value_of<D>(loss, net, other).item() != value);
  CHECK(value_of<D>(ExplanationLoss<GradCam<"4">, OutsideMass>{{.only = 1}}, net, other).item() == value);

  auto none = batch<D>();
  none.has_mask = {0, 0, 0, 0};
  auto empty = batch<D>();
  empty.masks = Tensor<D>(Shape{4, 6, 8, 1}, 0);
  for (const auto& without : {none, empty}) {
    CHECK(value_of<D>(loss, net, without).item() == 0);
    CHECK(size_of<D>(gradients<D>(loss, net, without)) == 0);
    const auto alone = gradients<D>(CrossEntropy{}, net, without),
               both = gradients<D>(CrossEntropy{} + loss, net, without);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(same_bits(alone[i], both[i]));
  }
  const Batch<D> nothing{Tensor<D>(Shape{0, 6, 8, 2}), {}, Tensor<D>(Shape{0, 6, 8, 1}), {}};
  Run<D> run;
  CHECK(loss(Step<D>{nothing, Var<D>(Tensor<D>(Shape{0, 2})), run}).item() == 0);
}

TEST_CASE("the loss by hand: a map at the size of the picture") {
  // One channel, no convolution before the map: A = picture; z_1 = mean(A), z_0 = 0. Weight of the channel: 1 / 4.
  using Plain = Sequential<Identity<D>, GlobalAverage<D>, Flatten<D>, Linear<D, 1, 2>>;
  Plain net;
  limn::at<"3.weight">(net).value().fill(0);
  limn::at<"3.weight">(net).value()(1, 0) = 1;
  Batch<D> data{Tensor<D>(Shape{1, 2, 2, 1}, {1, 2, 4, 5}), {1}, Tensor<D>(Shape{1, 2, 2, 1}, {0, 1, 0, 1}), {1}};
  // Scaled: 0, 1/4, 3/4, 1; outside: (0 + 3/4) / 2.
  CHECK(value_of<D>(ExplanationLoss<GradCam<"0">, OutsideMass>{}, net, data).item() == doctest::Approx(.375));
  CHECK(value_of<D>(ExplanationLoss<GradCam<"0">, OutsideMass>{{.top = .5f}}, net, data).item() ==
        doctest::Approx(.75 / 1.75));
  CHECK(value_of<D>(ExplanationLoss<GradCam<"0">, Dice>{}, net, data).item() == doctest::Approx(1 - 2.5 / 4));
  CHECK(value_of<D>(ExplanationLoss<GradCam<"0">, Mse>{{.scale = Scale::none}}, net, data).item() ==
        doctest::Approx((1. / 16 + .25 + 1 + 1. / 16) / 4 * 1));  // A / 4 = .25, .5, 1, 1.25
  // RRR: d/dA of ln p_0 + ln p_1 = (1 - 2 p_1) / 4 at every pixel; two pixels lie outside.
  const double p = 1 / (1 + std::exp(-3.)), slope = (1 - 2 * p) / 4;
  CHECK(value_of<D>(ExplanationLoss<explain::InputGradient, Rrr>{}, net, data).item() ==
        doctest::Approx(2 * slope * slope));
}

TEST_CASE("LAP maps: exact gradients, probabilities are not scaled, classes without a clue do not count") {
  using Net = models::ResNetSmall<D, 1, 2, pool::Lap>;
  Net net{Seed{3}};
  Batch<D> data{random_tensor<D>({3, 32, 32, 1}, "x"), {1, 0, 1}, Tensor<D>(Shape{3, 32, 32, 1}, 0), {1, 1, 1}};
  for (Index i = 0; i < 3; ++i)
    for (Index y = 4; y < 16; ++y)
      for (Index x = 8; x < 20; ++x) data.masks(i, y, x, 0) = 1;
  // At the start every map is 1/2 everywhere: BCE = ln 2 whatever the mask, and it has somewhere to go.
  const ExplanationLoss<explain::Lap, Bce> loss;
  CHECK(value_of<D>(loss, net, data).item() == doctest::Approx(std::log(2.)));
  CHECK(size_of<D>(gradients<D>(loss, net, data)) > 1e-3);
  auto other = data;
  other.masks(1, 31, 31, 0) = 1;  // class 0 is the background
  CHECK(value_of<D>(loss, net, other).item() == value_of<D>(loss, net, data).item());
  Random random(Seed{5});
  for (const auto& p : parameters(net))
    if (p.path.find("lap.head.out") != std::string::npos)
      for (double& v : p.parameter->value().span()) v = random.normal();
  std::vector<Tensor<D>> at;
  std::vector<Parameter<D>*> some;
  for (const auto& p : parameters(net))
    if (p.path.find("lap.head") != std::string::npos || p.path == "conv1.weight") {
      some.push_back(p.parameter);
      at.push_back(p.parameter->value().clone());
    }
  const limn::Differentiable f = [&](const std::vector<Var<D>>& in) -> std::vector<Var<D>> {
    for (std::size_t i = 0; i < some.size(); ++i) some[i]->bind(in[i]);
    return {value_of<D>(loss, net, data),
            value_of<D>(ExplanationLoss<explain::Lap, OutsideMass>{{.top = .5f}}, net, data)};
  };
  const auto result = check_gradient(f, at, {.step = 1e-6, .tolerance = 1e-6, .seed = Seed{1}, .most = 12});
  CAPTURE(result.where);
  CHECK(result.error < 2e-6);
}

TEST_CASE_TEMPLATE("logits of 1e4 and dead networks: finite values and gradients", B, Cpu, CpuDouble) {
  const auto data = batch<B>();
  const auto finite = [&](const std::string& what, const auto& loss, const Net<B>& net) {
    CAPTURE(what);
    CHECK(std::isfinite(value_of<B>(loss, net, data).item()));
    const auto all = gradients<B>(loss, net, data);
    for (const auto& t : all)
      for (const auto v : t.span()) REQUIRE(std::isfinite(v));
  };
  const auto each = [&](const Net<B>& net) {
    using Cam = GradCam<"4">;
    for (const Score score : {Score::class_logit, Score::squared_difference, Score::absolute_probability_difference,
                              Score::log_probabilities}) {
      finite("outside", ExplanationLoss<Cam, OutsideMass>{{.top = .5f, .score = score}}, net);
      finite("bce", ExplanationLoss<Cam, Bce>{{.score = score}}, net);
      finite("kl", ExplanationLoss<Cam, Kl>{{.gate = Gate::sigmoid(.1f), .score = score}}, net);
      finite("input", ExplanationLoss<explain::InputGradient, Dice>{{.score = score}}, net);
    }
    finite("haics", ExplanationLoss<Cam, Haics>{}, net);
    finite("res", ExplanationLoss<Cam, Res>{}, net);
    finite("no scale", ExplanationLoss<Cam, OutsideMass>{{.scale = Scale::none}}, net);
  };
  auto loud = network<B>();
  for (auto& v : limn::at<"9.weight">(loud).value().span()) v *= 3000;
  each(loud);
  auto dead = network<B>();  // the map is 0 everywhere
  limn::at<"9.weight">(dead).value().fill(0);
  each(dead);
  CHECK(value_of<B>(ExplanationLoss<GradCam<"4">, OutsideMass>{}, dead, data).item() == 1);
}

TEST_CASE("what does not fit is refused with what is wrong") {
  const auto net = network<D>();
  const auto data = batch<D>();
  using Cam = GradCam<"4">;
  const auto said = [&](const auto& loss) { return message_of([&] { (void)value_of<D>(loss, net, data); }); };
  CHECK(said(ExplanationLoss<Cam, OutsideMass>{{.top = 0}}) ==
        "outside_mass: top must be above 0 and at most 1, got 0");
  CHECK(said(ExplanationLoss<Cam, OutsideMass>{{.gate = Gate::sigmoid(-1)}}) ==
        "outside_mass: the gate's temperature must be above 0, got -1");
  CHECK(said(ExplanationLoss<Cam, OutsideMass>{{.leak = 1}}) == "outside_mass: leak must be 0 to less than 1, got 1");
  CHECK(said(ExplanationLoss<Cam, Bce>{{.scale = Scale::none}}) == "bce: needs values from 0 to 1: use Scale::min_max");
  CHECK(said(ExplanationLoss<explain::InputGradient, Rrr>{{.top = .5f}}) ==
        "rrr: is made of the explainer's values as they are: it has no gate and no scale");
  CHECK(said(ExplanationLoss<explain::InputGradient, OutsideMass>{{.weights = Weights::constant}}) ==
        "explain::InputGradient: Weights::constant would leave nothing to learn from");
  CHECK(said(ExplanationLoss<explain::Lap, OutsideMass>{}) == "explain::Lap: the network has no LAP (use pool::Lap)");
  Run<D> run;  // nobody asked
  const Var<D> logits = run(net, Var<D>(data.images));
  CHECK(message_of([&] {
          (void)ExplanationLoss<Cam, OutsideMass>{}(Step<D>{data, logits, run});
        }) == "the pass was not asked to watch 4 (loss.watch(net, run) before it)");
  CHECK(said(ExplanationLoss<Cam, OneNumber>{}) ==
        "one_number: the design gave (1) for 2 pictures, expected a number for each");
  CHECK(said(ExplanationLoss<Channels, Dice>{}) == "dice: the explainer gave (4, 6, 8, 2), expected maps (4, h, w, 1)");
  auto torn = data;
  torn.has_mask.pop_back();
  CHECK(message_of([&] { (void)value_of<D>(ExplanationLoss<Cam, OutsideMass>{}, net, torn); }) ==
        "outside_mass: 4 labels, but masks of (4, 6, 8, 1), 3 of them given");
}

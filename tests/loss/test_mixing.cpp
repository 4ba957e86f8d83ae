// Losses on mixed pictures: who is paired with whom, Mixup and DRE against loops, exact gradients, bad input.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "limn/loss/explanation/dre.hpp"
#include "small_net.hpp"

using namespace small;
using testing::message_of;

namespace {

using Cam = GradCam<"0">;

Picture mixed(const Batch<D>& data, const limn::detail::Pairs<D>& pairs, std::size_t k) {
  Picture a = picture(data, pairs.first[k]);
  const Picture b = picture(data, pairs.second[k]);
  const double share = pairs.share.data()[k];
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = share * a[i] + (1 - share) * b[i];
  return a;
}

/// Grad-CAM of the label by its closed form, with a leaking ReLU if that is asked for, to 0 .. 1.
std::vector<double> saliency(const Net& net, const Picture& x, Index label, double leak, bool scaled) {
  const Said s = said(net, x);
  const auto& v = limn::at<"3.weight">(net).value();
  std::vector<double> out;
  for (Index p = 0; p < height * width; ++p) {
    double sum = 0;
    for (Index f = 0; f < features; ++f)
      sum += v.data()[label * features + f] / static_cast<double>(height * width) *
             s.map[static_cast<std::size_t>(p * features + f)];
    out.push_back(sum > 0 ? sum : leak * sum);
  }
  if (!scaled) return out;
  const double low = *std::min_element(out.begin(), out.end()), high = *std::max_element(out.begin(), out.end());
  for (double& value : out) value = (value - low) / (high - low);
  return out;
}

double dre_by_hand(const Net& net, const Batch<D>& data, const DreOptions& o, Seed seed) {
  const auto pairs = limn::detail::pairs<D>(data.labels, true, o.alpha, Random(seed, "dre"));
  const bool scaled = o.scale != Scale::none;
  const double leak = scaled ? static_cast<double>(o.leak) : 0, n = static_cast<double>(pairs.first.size());
  double out = 0;
  for (std::size_t k = 0; k < pairs.first.size(); ++k) {
    const Index label = data.labels[static_cast<std::size_t>(pairs.first[k])];
    const Picture x = mixed(data, pairs, k);
    const auto a = saliency(net, picture(data, pairs.first[k]), label, leak, scaled),
               b = saliency(net, picture(data, pairs.second[k]), label, leak, scaled),
               ab = saliency(net, x, label, leak, scaled);
    const double share = pairs.share.data()[k], pixels = static_cast<double>(ab.size());
    for (std::size_t p = 0; p < ab.size(); ++p) {
      out += std::abs(ab[p] - (share * a[p] + (1 - share) * b[p])) / pixels / n;
      out += static_cast<double>(o.sparsity) / 2 * (std::abs(a[p]) + std::abs(b[p])) / pixels / n;
    }
    out += static_cast<double>(o.classify) * surprise(said(net, x).logits, label) / n;
  }
  return out;
}

}  // namespace

TEST_CASE("pairs: everybody once first and once second, in the class if asked, by the seed") {
  const std::vector<Index> labels{1, 0, 1, 1, 0, 2};
  for (const bool same : {true, false}) {
    const auto pairs = limn::detail::pairs<D>(labels, same, .2f, Random(Seed{1}));
    REQUIRE(pairs.first.size() == (same ? 5 : 6));  // one is alone in its class
    CHECK(std::set(pairs.second.begin(), pairs.second.end()) == std::set(pairs.first.begin(), pairs.first.end()));
    for (std::size_t k = 0; k < pairs.first.size(); ++k) {
      CHECK(pairs.first[k] != pairs.second[k]);
      if (same)
        CHECK(labels[static_cast<std::size_t>(pairs.first[k])] == labels[static_cast<std::size_t>(pairs.second[k])]);
      CHECK(pairs.share.data()[k] >= 0);
      CHECK(pairs.share.data()[k] <= 1);
    }
    CHECK(limn::detail::pairs<D>(labels, same, .2f, Random(Seed{1})).second == pairs.second);
  }
  std::set<std::vector<Index>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    orders.insert(limn::detail::pairs<D>(labels, false, .2f, Random(Seed{seed})).second);
  CHECK(orders.size() > 15);
  CHECK(limn::detail::pairs<D>({0, 1, 2}, true, .2f, Random(Seed{1})).empty());
}

TEST_CASE("Mixup against loops, and its gradient") {
  const auto net = network<Net>();
  const Batch<D> data = batch();
  const auto pairs = limn::detail::pairs<D>(data.labels, false, .4f, Random(Seed{3}, "mixup"));
  double expected = 0;
  for (std::size_t k = 0; k < 5; ++k) {
    const auto logits = said(net, mixed(data, pairs, k)).logits;
    const double share = pairs.share.data()[k];
    expected += share * surprise(logits, data.labels[static_cast<std::size_t>(pairs.first[k])]) +
                (1 - share) * surprise(logits, data.labels[static_cast<std::size_t>(pairs.second[k])]);
  }
  CHECK(value_of(Mixup{.alpha = .4f}, net, data).item() == doctest::Approx(expected / 5).epsilon(1e-12));
  CHECK(value_of(Mixup{}, net, data, 1, Seed{4}).item() != value_of(Mixup{}, net, data, 1, Seed{5}).item());
  const CheckResult error = gradient_error(Mixup{}, network<Normed>(), data);
  CAPTURE(error.where);
  CHECK(error.error < 2e-6);
  const Batch<D> one{testing::picture(data.images, 0), {1}, {}, {}};
  CHECK(value_of(Mixup{}, net, one).item() == value_of(CrossEntropy{}, net, one).item());
  CHECK(message_of([&] { (void)value_of(Mixup{.alpha = 0}, net, data); }) == "mixup: alpha must be .01 to 100, got 0");
}

TEST_CASE("DRE against loops") {
  const auto net = network<Net>();
  const Batch<D> data = batch();
  for (const DreOptions& o :
       {DreOptions{}, DreOptions{.sparsity = 0, .classify = 0}, DreOptions{.alpha = 2, .scale = Scale::none},
        DreOptions{.sparsity = 2, .classify = 3, .leak = 0}}) {
    CHECK(value_of(Dre<Cam>{o}, net, data).item() == doctest::Approx(dre_by_hand(net, data, o, Seed{3})).epsilon(1e-9));
  }
}

TEST_CASE("the gradient of DRE, second order in the network, agrees with differences") {
  const auto check = [](const auto& loss) {
    const CheckResult error = gradient_error(loss, network<Normed>(), batch());
    CAPTURE(error.where);
    CHECK(error.error < 5e-6);
  };
  check(Dre<GradCam<"2">>{});
  check(CrossEntropy{} + 2.f * Dre<GradCam<"2">>{{.scale = Scale::none}});
  check(Dre<explain::InputGradient>{{.classify = 0}});
  // The check sees a part of the derivative that is missing.
  CHECK(gradient_error(Dre<GradCam<"2">>{{.weights = Weights::constant}}, network<Normed>(), batch()).error > 1e-3);
}

TEST_CASE("DRE without pairs is 0; bad options are refused") {
  const auto net = network<Net>();
  Batch<D> data{testing::random_tensor<D>({2, height, width, channels}, "x"), {1, 0}, {}, {}};
  CHECK(value_of(Dre<Cam>{}, net, data).item() == 0);
  data.labels = {1, 1};
  CHECK(message_of([&] { (void)value_of(Dre<Cam>{{.sparsity = -1}}, net, data); }) ==
        "dre: weights must be at least 0, got sparsity -1 and classify 0.1");
  CHECK(message_of([&] { (void)value_of(Dre<Cam>{{.leak = 1}}, net, data); }) ==
        "dre: leak must be 0 to less than 1, got 1");
  CHECK(message_of([&] { (void)value_of(Dre<Cam>{{.alpha = 200}}, net, data); }) ==
        "dre: alpha must be .01 to 100, got 200");
}

TEST_CASE("a further pass: the same mode and draws, what the loss watches, and no trace in the running statistics") {
  auto net = network<Normed>();
  const Batch<D> data = batch();
  const auto before = limn::at<"1.running_mean">(net).value().clone();
  const auto fresh = [&](const auto& loss) {  // the running mean after a step
    auto copy = net;
    Run<D> run;
    run.training = true;
    (void)one_step(loss, copy, data, run);
    run.commit();
    return limn::at<"1.running_mean">(copy).value().clone();
  };
  const auto plain = fresh(CrossEntropy{});
  CHECK_FALSE(testing::same_bits(plain, before));
  CHECK(testing::same_bits(plain, fresh(Mixup{})));
  CHECK(testing::same_bits(plain, fresh(CrossEntropy{} + Dre<GradCam<"2">>{})));
  Run<D> run;
  const Var<D> logits = run(net, Var<D>(data.images));
  CHECK(message_of([&] {
          (void)Mixup{}(Step<D>{data, logits, run});
        }) == "the loss shows the network other pictures, and this step has none (see one_step)");
}

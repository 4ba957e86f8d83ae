// Saliency-guided training: which pixels are replaced, by what, and the divergence of both answers.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "limn/loss/explanation/saliency_guided.hpp"
#include "small_net.hpp"

using namespace small;
using testing::message_of;

namespace {

/// Gives back what the network is shown after the first pass.
Tensor<D> shown(const SaliencyGuided& loss, const Net& net, const Batch<D>& data, Seed seed = Seed{3}) {
  std::vector<Tensor<D>> seen;
  const auto show = [&](const Tensor<D>& images, Run<D>& run) {
    seen.push_back(images.clone());
    loss.watch(net, run);
    return run(net, run.input(images));
  };
  const ShowNetwork<D> again(show);
  Run<D> run;
  run.seed = seed;
  const Var<D> logits = show(data.images, run);
  (void)loss(Step<D>{data, logits, run, 1, &again});
  return seen.at(1);
}

}  // namespace

TEST_CASE("the half of the pixels with the smallest gradient is replaced by values of the picture's range") {
  // With a weight for every pixel the gradient is known: |weight of the label|, summed over the channels.
  using Linear2 = Sequential<Flatten<D>, Linear<D, height * width * channels, classes>>;
  const auto net = network<Linear2>();
  const Batch<D> data = batch();
  Run<D> run;
  std::vector<Tensor<D>> seen;
  const SaliencyGuided loss;
  const auto show = [&](const Tensor<D>& images, Run<D>& pass) {
    seen.push_back(images.clone());
    loss.watch(net, pass);
    return pass(net, pass.input(images));
  };
  const ShowNetwork<D> again(show);
  const Var<D> logits = show(data.images, run);
  const double value = loss(Step<D>{data, logits, run, 1, &again}).item();
  const auto& w = limn::at<"1.weight">(net).value();
  double divergence = 0;
  for (Index i = 0; i < 5; ++i) {
    const Index label = data.labels[static_cast<std::size_t>(i)];
    std::vector<double> gradient;
    for (Index p = 0; p < height * width; ++p) {
      double sum = 0;
      for (Index c = 0; c < channels; ++c) sum += std::abs(w(label, p * channels + c));
      gradient.push_back(sum);
    }
    const double median = [&] {
      auto sorted = gradient;
      std::sort(sorted.begin(), sorted.end());
      return (sorted[9] + sorted[10]) / 2;
    }();
    const Picture before = picture(data, i);
    const auto [low, high] = std::minmax_element(before.begin(), before.end());
    for (Index p = 0; p < height * width; ++p)
      for (Index c = 0; c < channels; ++c) {
        const auto at = static_cast<std::size_t>(p * channels + c);
        const double after = seen.at(1).data()[i * height * width * channels + static_cast<Index>(at)];
        CHECK((after != before[at]) == (gradient[static_cast<std::size_t>(p)] < median));
        CHECK(after >= *low);
        CHECK(after <= *high);
      }
    std::vector<double> p, q;
    for (const Index which : {0, 1}) {
      Run<D> plain;
      const Var<D> z = plain(net, Var<D>(testing::picture(seen.at(static_cast<std::size_t>(which)), i)));
      for (Index k = 0; k < classes; ++k)
        (which == 0 ? p : q).push_back(probability({z.value().data()[0], z.value().data()[1]}, k));
    }
    for (std::size_t k = 0; k < 2; ++k) divergence += p[k] * std::log(p[k] / q[k]) / 5;
  }
  CHECK(value == doctest::Approx(divergence).epsilon(1e-10));
  CHECK(value > 1e-3);
}

TEST_CASE("shares, seeds and the gradient through both answers") {
  const auto net = network<Net>();
  const Batch<D> data = batch();
  CHECK(value_of(SaliencyGuided{.share = 0}, net, data).item() == doctest::Approx(0));
  CHECK(testing::same_bits(shown({}, net, data), shown({}, net, data)));
  CHECK_FALSE(testing::same_bits(shown({}, net, data), shown({}, net, data, Seed{4})));
  const auto all = shown({.share = 1}, net, data);
  for (Index i = 0; i < all.size(); ++i) CHECK(all.data()[i] != data.images.data()[i]);
  // Everything is replaced, whatever the gradient: nothing jumps between the two sides of a difference.
  const CheckResult error = gradient_error(CrossEntropy{} + SaliencyGuided{.share = 1}, network<Normed>(), data);
  CAPTURE(error.where);
  CHECK(error.error < 2e-6);
  CHECK(message_of([&] { (void)value_of(SaliencyGuided{.share = 1.5f}, net, data); }) ==
        "saliency_guided: share must be 0 to 1, got 1.5");
}

// Training with losses that compare domains: the domains reach the loss, what GroupDRO remembers survives a stop.
#include "limn/loss/domain_risks.hpp"
#include "limn/loss/mixing.hpp"
#include "tiny.hpp"

using namespace tiny;
using support::message;

namespace {

/// Every third picture is of domain "west".
data::Dataset of_two_domains(Index count, const std::string& name) {
  const data::Dataset all = pictures(count, name);
  std::vector<std::string> domains;
  for (Index i = 0; i < count; ++i) domains.push_back(i % 4 == 0 ? "west" : "east");
  return all.with_domains(domains);
}

train::FitOptions options(const std::filesystem::path& out, Index epochs) {
  return {.epochs = epochs, .batch = 8, .out = out.string(), .seed = Seed{3}, .quiet = true};
}

/// Notes which domains it was shown.
struct Witness {
  static constexpr const char* name = "witness";
  std::vector<std::pair<Index, Index>>* seen;  ///< label and domain
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    for (std::size_t i = 0; i < step.batch.labels.size(); ++i)
      seen->emplace_back(step.batch.labels[i], step.batch.domains.at(i));
    return Tensor<B>(Shape{1}, typename B::scalar(0));
  }
};

}  // namespace

TEST_CASE("the domains of the samples reach the loss") {
  const auto train = of_two_domains(24, "t"), val = of_two_domains(12, "v");
  std::vector<std::pair<Index, Index>> seen, expected;
  auto o = options("", 1);
  o.balanced = false;
  Net net;
  (void)train::fit(net, CrossEntropy{} + Witness{&seen}, Sgd{{.lr = .1}}, train, val, o);
  for (Index i = 0; i < train.size(); ++i) expected.emplace_back(train[i].label, train.domain(i));
  std::sort(seen.begin(), seen.end());
  std::sort(expected.begin(), expected.end());
  CHECK(seen == expected);
}

TEST_CASE("GroupDRO goes on with the weights that it had") {
  const support::Folder folder("group_dro");
  const auto train = of_two_domains(24, "t"), val = of_two_domains(12, "v");
  const GroupDro loss(2, .5);
  const Adam adam{{.lr = .01}};
  Net whole, part, rest{Seed{9}}, forgetful;
  (void)train::fit(whole, loss, adam, train, val, options(folder.path / "a", 4));
  CHECK(loss.weights.value().data()[0] == .5);  // the term that was given is as it was
  (void)train::fit(part, loss, adam, train, val, options(folder.path / "b", 2));
  auto more = options(folder.path / "b", 4);
  more.resume = true;
  (void)train::fit(rest, loss, adam, train, val, more);
  check_same_bits(whole, rest);
  const auto weights = [&](const char* run) {
    const auto file = io::read_safetensors(folder.path / run / "last.safetensors");
    return io::values<double>(file.at("optimizer/loss/0/group_dro/weights"));
  };
  CHECK(weights("a") == weights("b"));
  CHECK(weights("a")[0] + weights("a")[1] == doctest::Approx(1));
  CHECK(std::abs(weights("a")[0] - .5) > 1e-3);
  load_weights(forgetful, folder.path / "a" / "last.safetensors");  // the memory is no part of the network
  // A checkpoint without the memory is refused.
  (void)train::fit(part, CrossEntropy{}, adam, train, val, options(folder.path / "c", 1));
  auto other = options(folder.path / "c", 2);
  other.resume = true;
  CHECK(support::holds(message<OptionError>([&] { (void)train::fit(part, loss, adam, train, val, other); }),
                       "loss: cross_entropy there, group_dro now"));
  // So is one of the same pictures in other domains.
  std::vector<std::string> swapped;
  for (Index i = 0; i < train.size(); ++i) swapped.push_back(i % 4 == 0 ? "east" : "west");
  CHECK(support::holds(
      message<OptionError>([&] { (void)train::fit(rest, loss, adam, train.with_domains(swapped), val, more); }),
      "training data"));
}

TEST_CASE("data without domains is refused before the first step") {
  const auto train = pictures(12, "t"), val = pictures(6, "v");
  Net net;
  CHECK(message<OptionError>([&] {
          (void)train::fit(net, CrossEntropy{} + IrmPenalty{}, Sgd{{.lr = .1}}, train, val, options("", 1));
        }) == "irm_penalty: needs to know the domains of the pictures (data/domains.hpp)");
  const auto two = of_two_domains(12, "t");
  CHECK(message<OptionError>([&] { (void)train::fit(net, GroupDro(3), Sgd{{.lr = .1}}, two, two, options("", 1)); }) ==
        "group_dro: is for 3 domains, the data has 2");
  auto o = options("", 1);
  o.monitor = "val_total";
  CHECK(support::holds(message<OptionError>([&] { (void)train::fit(net, GroupDro(2), Sgd{{.lr = .1}}, two, val, o); }),
                       "group_dro: needs to know the domains"));
}

TEST_CASE("Mixup can be what validation watches") {
  const auto train = pictures(12, "t"), val = pictures(6, "v");
  auto o = options("", 2);
  o.monitor = "val_total";
  Net net;
  const auto fit = train::fit(net, Mixup{}, Sgd{{.lr = .1}}, train, val, o);
  CHECK(std::isfinite(fit.best_value));
}

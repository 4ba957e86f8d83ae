// The update rules against torch's, groups, schedules, and what is refused.
#include <doctest/doctest.h>

#include "limn/nn/layers.hpp"
#include "limn/optim/optimizer.hpp"
#include "limn/optim/schedule.hpp"
#include "recorded_optim.hpp"

using namespace limn;

namespace {

template <Backend B>
struct Quadratic {
  Parameter<B> w{Shape{static_cast<Index>(recorded::start.size())}};
  static constexpr auto fields = Fields{field<"w">(&Quadratic::w)};
  Quadratic() {
    for (std::size_t i = 0; i < recorded::start.size(); ++i)
      w.value().data()[i] = static_cast<typename B::scalar>(recorded::start[i]);
  }
  [[nodiscard]] std::vector<Var<B>> gradient() const {
    Tensor<B> g(w.shape());
    for (std::size_t i = 0; i < recorded::start.size(); ++i)
      g.data()[i] = static_cast<typename B::scalar>(recorded::curvature[i] *
                                                    (static_cast<double>(w.value().data()[i]) - recorded::centre[i]));
    return {Var<B>(g)};
  }
};

template <Backend B, class Rule>
void compare(const Rule& rule, const char* name, double tolerance) {
  const recorded::Course* course = nullptr;
  for (const auto& candidate : recorded::courses)
    if (std::string(candidate.name) == name) course = &candidate;
  REQUIRE(course != nullptr);
  Quadratic<B> net;
  auto optimizer = make_optimizer(rule, net);
  std::size_t next = 0;
  for (int step = 1; step <= recorded::steps.back(); ++step) {
    optimizer.step(net.gradient());
    if (step != recorded::steps[next]) continue;
    for (std::size_t i = 0; i < recorded::start.size(); ++i) {
      CAPTURE(name);
      CAPTURE(step);
      CAPTURE(i);
      CHECK(static_cast<double>(net.w.value().data()[i]) ==
            doctest::Approx(course->weights[next][i]).epsilon(tolerance).scale(1));
    }
    ++next;
  }
  CHECK(next == recorded::steps.size());
}

template <class Rule>
void compare_both(const Rule& rule, const char* name) {
  compare<CpuDouble>(rule, name, 1e-12);
  compare<Cpu>(rule, name, 3e-6);
}

struct Long {
  Parameter<Cpu> w{Shape{3 * detail::update_piece + 17}};
  static constexpr auto fields = Fields{field<"w">(&Long::w)};
};

struct Two {
  static constexpr int in_channels = 3, out_channels = 2;
  Linear<Cpu, 3, 4> layer1;
  Linear<Cpu, 4, 2> layer10;
  static constexpr auto fields = Fields{field<"layer1">(&Two::layer1), field<"layer10">(&Two::layer10)};
  Two() { initialise(*this, Seed{3}); }
};

template <class Call>
std::string refusal(const Call& call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::vector<Var<Cpu>> ones(const Optimizer<Cpu>& optimizer) {
  std::vector<Var<Cpu>> out;
  for (const auto& v : optimizer.variables()) out.emplace_back(Tensor<Cpu>(v.shape(), 1.f));
  return out;
}

}  // namespace

TEST_CASE("the optimisers take torch's course") {
  compare_both(Sgd{{.lr = 0.05}}, "sgd");
  compare_both(Sgd{{.lr = 0.05, .weight_decay = 0.1}}, "sgd_decay");
  compare_both(Sgd{{.lr = 0.02, .momentum = 0.9, .weight_decay = 0.01}}, "sgd_momentum");
  compare_both(Sgd{{.lr = 0.02, .momentum = 0.8, .weight_decay = 0.01, .nesterov = true}}, "sgd_nesterov");
  compare_both(Adam{{.lr = 0.1}}, "adam");
  compare_both(Adam{{.lr = 0.03, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.2}}, "adam_decay");
  compare_both(Adam{{.lr = 0.1, .weight_decay = 0.3, .decoupled = true}}, "adamw");
}

TEST_CASE("a parameter longer than one piece is updated like its parts, whatever the number of threads") {
  const auto train = [](int thread_count) {
    set_threads(thread_count);
    Long net;
    auto optimizer = make_optimizer(Adam{{.lr = 0.5, .weight_decay = 0.1}}, net);
    Tensor<Cpu> g(net.w.shape());
    for (Index i = 0; i < g.size(); ++i) g.data()[i] = std::sin(static_cast<float>(i % 23));
    for (int step = 0; step < 3; ++step) optimizer.step({Var<Cpu>(g)});
    const double norm = gradient_norm<Cpu>({Var<Cpu>(g)});
    set_threads(0);
    return std::pair{net, norm};
  };
  const auto [one, norm_of_one] = train(1);
  const auto [two, norm_of_two] = train(2);
  CHECK(norm_of_one == norm_of_two);
  double expected = 0;
  for (Index i = 0; i < one.w.size(); ++i) {
    REQUIRE(one.w.value().data()[i] == two.w.value().data()[i]);
    // All gradients that are equal lead to the same weight: no element was left out or done twice.
    REQUIRE(one.w.value().data()[i] == doctest::Approx(one.w.value().data()[i % 23]).epsilon(1e-6));
    expected += std::pow(std::sin(static_cast<double>(i % 23)), 2);
  }
  CHECK(norm_of_one == doctest::Approx(std::sqrt(expected)).epsilon(1e-6));
}

TEST_CASE("groups: the longest prefix counts, at the borders of names") {
  Two net;
  const Two before = net;
  auto optimizer =
      make_optimizer(Sgd{{.lr = 1}, {{.prefix = "layer1", .lr = .5f}, {.prefix = "layer1.bias", .frozen = true}}}, net);
  CHECK_FALSE(net.layer1.bias.trainable());
  REQUIRE(optimizer.variables().size() == 3);
  CHECK(optimizer.path(0) == "layer1.weight");
  optimizer.step(ones(optimizer), .25);
  CHECK(net.layer1.weight.value()(0, 0) == before.layer1.weight.value()(0, 0) - .125f);
  CHECK(net.layer1.bias.value()(0) == before.layer1.bias.value()(0));
  CHECK(net.layer10.weight.value()(0, 0) == before.layer10.weight.value()(0, 0) - .25f);  // not in group layer1

  CHECK(refusal([&] {
          return make_optimizer(Adam{{}, {{.prefix = "layer2", .lr = 1}}}, net);
        }) == "parameter group \"layer2\": no parameter lies there; the network has layer1, layer10");
  CHECK(refusal([&] {
          return make_optimizer(Adam{{}, {{.prefix = "", .frozen = true}}}, net);
        }) == "optimiser: all 4 parameters are frozen");
}

TEST_CASE("a group with a schedule of its own is asked for its factor") {
  Two net;
  const Two before = net;
  auto optimizer =
      make_optimizer(Sgd{{.lr = 1}, {{.prefix = "layer1", .lr = .5f, .schedule = StepDecay{.every = 2}}}}, net);
  optimizer.step(ones(optimizer), [](const Schedule* own) {
    CHECK((own == nullptr || std::get<StepDecay>(*own).every == 2));
    return own == nullptr ? .25 : .5;
  });
  CHECK(net.layer1.weight.value()(0, 0) == before.layer1.weight.value()(0, 0) - .25f);
  CHECK(net.layer10.weight.value()(0, 0) == before.layer10.weight.value()(0, 0) - .25f);
  CHECK(net.layer10.bias.value()(0) == before.layer10.bias.value()(0) - .25f);
}

TEST_CASE("an optimiser goes on where another one stopped") {
  const Adam rule{{.lr = .1}};
  Two straight, broken;
  auto all = make_optimizer(rule, straight), first = make_optimizer(rule, broken),
       second = make_optimizer(rule, broken);
  for (int i = 0; i < 5; ++i) all.step(ones(all));
  for (int i = 0; i < 2; ++i) first.step(ones(first));
  second.load(first.state(), first.steps());
  for (int i = 0; i < 3; ++i) second.step(ones(second));
  CHECK(second.steps() == 5);
  for (Index i = 0; i < straight.layer1.weight.size(); ++i)
    CHECK(straight.layer1.weight.value().data()[i] == broken.layer1.weight.value().data()[i]);
  REQUIRE(all.state().size() == 8);
  CHECK(all.state()[1].first == "layer1.weight/exp_avg_sq");
  auto sgd = make_optimizer(Sgd{{.momentum = .5}}, broken);
  CHECK(refusal([&] { second.load(sgd.state(), 1); }) == "optimiser: its state is 8 tensors, got 4");
}

TEST_CASE("schedules by hand") {
  CHECK(lr_factor(Constant{}, 7.5, 10) == 1);
  CHECK(lr_factor(Cosine{.warmup_epochs = 2, .floor = .1}, 1, 10) == .5);
  CHECK(lr_factor(Cosine{.warmup_epochs = 2, .floor = .1}, 2, 10) == doctest::Approx(1));
  CHECK(lr_factor(Cosine{.warmup_epochs = 2, .floor = .1}, 6, 10) == doctest::Approx(.55));
  CHECK(lr_factor(Cosine{.warmup_epochs = 2, .floor = .1}, 10, 10) == doctest::Approx(.1));
  CHECK(lr_factor(StepDecay{.every = 3, .factor = .5}, 2.9, 10) == 1);
  CHECK(lr_factor(StepDecay{.every = 3, .factor = .5}, 6, 10) == .25);
  CHECK(refusal([] { check_schedule(Cosine{.warmup_epochs = 5}, 5); }) ==
        "Cosine: warmup_epochs must be at least 0 and below the 5 epochs, got 5");
  CHECK(refusal([] { check_schedule(StepDecay{.every = 0}, 5); }) == "StepDecay: every must be at least 1, got 0");
}

TEST_CASE("options out of range are refused") {
  Two net;
  CHECK(refusal([&] { return make_optimizer(Adam{{.lr = -1}}, net); }) == "Adam: lr must be 0 to 1e6, got -1");
  CHECK(refusal([&] { return make_optimizer(Adam{{.beta2 = 1}}, net); }) ==
        "Adam: beta2 must be at least 0 and below 1, got 1");
  CHECK(refusal([&] { return make_optimizer(Sgd{{.lr = NAN}}, net); }) == "Sgd: lr must be 0 to 1e6, got nan");
  CHECK(refusal([&] { return make_optimizer(Sgd{{.nesterov = true}}, net); }) ==
        "Sgd: nesterov needs a momentum above 0");
  auto optimizer = make_optimizer(Sgd{}, net);
  auto gradients = ones(optimizer);
  std::swap(gradients[0], gradients[1]);
  CHECK(refusal([&] { optimizer.step(gradients); }) == "optimiser: layer1.weight: gradient (4), expected (4, 3)");
}

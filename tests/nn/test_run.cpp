// One forward pass: taps, cuts, where errors arose.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using testing::message_of, testing::same_bits, testing::random_tensor;

namespace {

using Small = models::ResNetSmall<Cpu, 1, 3>;

Tensor<Cpu> images() { return random_tensor<Cpu>({2, 32, 32, 1}, "images"); }

Var<Cpu> score(const Var<Cpu>& logits) { return sum(logits * logits); }

}  // namespace

TEST_CASE("a tap gives the output of a part and changes nothing") {
  const Small net{Seed{1}};
  Run<Cpu> plain, run;
  const auto conv = run.tap(at<"layer2.0.conv1">(net)), stage = run.tap(net.layer4), fc = run.tap(at<"fc">(net));
  const Small other{Seed{1}};
  const auto never = run.tap(other.fc);
  const Var<Cpu> y = run(net, Var<Cpu>(images()));
  CHECK(same_bits(y.value(), plain(net, Var<Cpu>(images())).value()));
  CHECK(run.tapped(conv).shape() == Shape{2, 4, 4, 16});
  CHECK(run.tapped(stage).shape() == Shape{2, 1, 1, 64});
  CHECK(same_bits(run.tapped(fc).value(), y.value()));
  CHECK(run.tapped(never).empty());
  // What layer4 gave, followed by the rest of the network by hand, is the output.
  Run<Cpu> rest;
  CHECK(same_bits(rest(net.fc, flatten(global_average(run.tapped(stage)))).value(), y.value()));
}

TEST_CASE("an outer layer and its first member share an address, but not a tap") {
  const Small net{Seed{1}};
  REQUIRE(static_cast<const void*>(&net) == static_cast<const void*>(&net.conv1));
  Run<Cpu> run;
  const auto whole = run.tap(net), first = run.tap(net.conv1);
  (void)run(net, Var<Cpu>(images()));
  CHECK(run.tapped(whole).shape() == Shape{2, 3});
  CHECK(run.tapped(first).shape() == Shape{2, 16, 16, 8});
}

TEST_CASE("a cut: recording begins there, and gradients are those of the whole tape") {
  const Small net{Seed{1}};
  Run<Cpu> whole;
  const auto tap = whole.tap(net.layer3);
  const Var<Cpu> y = whole(net, Var<Cpu>(images()));
  const auto expected = grad<Cpu>({score(y)}, {whole.tapped(tap), net.fc.weight});

  Run<Cpu> run;
  const auto before = run.tap(net.layer2), cut = run.tap(net.layer3, true), after = run.tap(net.layer4);
  {
    const NoRecord no_record;
    const Var<Cpu> z = run(net, Var<Cpu>(images()));
    CHECK(same_bits(z.value(), y.value()));
    CHECK(!run.tapped(before).requires_grad());
    REQUIRE(run.tapped(cut).requires_grad());
    CHECK(run.tapped(cut).node()->is_leaf());  // nothing leads further back
    CHECK(run.tapped(after).requires_grad());
    const auto found = grad<Cpu>({score(z)}, {run.tapped(cut), net.fc.weight});
    CHECK(same_bits(found[0].value(), expected[0].value()));
    CHECK(same_bits(found[1].value(), expected[1].value()));
  }
  CHECK(is_recording());
}

TEST_CASE("a layer's output can be replaced, and the rest of the network goes on from there") {
  const Small net{Seed{1}};
  Run<Cpu> plain, run;
  const auto tap = plain.tap(net.layer3);
  const Var<Cpu> y = plain(net, Var<Cpu>(images()));
  const Tensor<Cpu> given = plain.tapped(tap).value();
  const auto replaced = run.replace(net.layer3, Var<Cpu>(given));
  const Tensor<Cpu> one = testing::picture(images(), 0);
  CHECK(same_bits(run(net, Var<Cpu>(one)).value(), y.value()));  // two maps for one picture
  CHECK(same_bits(run.tapped(replaced).value(), given));

  // Gradients end at what replaces.
  Run<Cpu> other;
  const Var<Cpu> from = leaf(random_tensor<Cpu>(given.shape(), "replacement"));
  (void)other.replace(net.layer3, from);
  const Var<Cpu> z = other(net, Var<Cpu>(images()));
  const auto found = grad(score(z), from);
  Run<Cpu> rest;
  const Var<Cpu> by_hand = rest(net.fc, flatten(global_average(rest(net.layer4, from))));
  CHECK(testing::difference(z.value(), by_hand.value()) < 1e-5);
  CHECK(testing::difference(found.value(), grad(score(by_hand), from).value()) < 1e-5);

  Run<Cpu> unheard;
  const Small elsewhere{Seed{1}};
  const auto never = unheard.replace(elsewhere.layer3, Var<Cpu>(given));
  CHECK(same_bits(unheard(net, Var<Cpu>(images())).value(), y.value()));
  CHECK(unheard.tapped(never).empty());
}

TEST_CASE("with many replacements for one picture, what goes around the layer is that picture's") {
  const Small net{Seed{1}};
  const Tensor<Cpu> one = testing::picture(images(), 0);
  const Tensor<Cpu> twice = concat<Cpu>({Var<Cpu>(one), Var<Cpu>(one)}, 0).value();
  Run<Cpu> once, repeated;
  const Var<Cpu> inside = random_tensor<Cpu>({2, 2, 2, 32}, "inside a block");  // its shortcut goes around it
  (void)once.replace(at<"layer3.0.bn1">(net), inside);
  (void)repeated.replace(at<"layer3.0.bn1">(net), inside);
  CHECK(testing::difference(once(net, Var<Cpu>(one)).value(), repeated(net, Var<Cpu>(twice)).value()) < 1e-6);
}

TEST_CASE("what is watched is found again by its path") {
  Small net{Seed{1}};
  Run<Cpu> plain, run;
  run.watch<"layer2.0.conv1">(net);
  run.watch<"layer3">(net);
  run.watch<"layer3">(net);
  run.watch_input();
  CHECK(run.watches());
  CHECK(!plain.watches());
  const Var<Cpu> y = run(net, run.input(images())), expected = plain(net, plain.input(images()));
  CHECK(same_bits(y.value(), expected.value()));
  CHECK(run.watched("layer2.0.conv1").shape() == Shape{2, 4, 4, 16});
  CHECK(run.watched("layer3").shape() == Shape{2, 2, 2, 32});
  // The pictures are a variable where they are watched, and only there.
  CHECK(grad(score(y), run.watched_input()).shape() == Shape{2, 32, 32, 1});
  CHECK(message_of([&] { (void)plain.watched_input(); }).starts_with("the pictures of the pass are no variable"));
  CHECK(message_of([&] { (void)run.watched("layer4"); }) ==
        "the pass was not asked to watch layer4 (loss.watch(net, run) before it)");
  const Small other{Seed{1}};
  Run<Cpu> without;
  without.watch<"fc">(other);
  (void)without(net, without.input(images()));
  CHECK(message_of([&] { (void)without.watched("fc"); }) == "the pass did not call fc, which is watched");
}

TEST_CASE("a pass that is watched keeps everything") {
  const Small net{Seed{1}};
  const auto forgotten = [&](const auto& ask) {
    Run<Cpu> run;
    run.checkpoint = true;
    ask(run);
    const Var<Cpu> y = run(net, run.input(images()));
    Index count = 0;
    std::vector<const Node<Cpu>*> open{y.node().get()};
    while (!open.empty()) {
      const Node<Cpu>* const node = open.back();
      open.pop_back();
      count += std::string(node->name) == "checkpoint";
      for (const auto& parent : node->parents)
        if (parent) open.push_back(parent.get());
    }
    return count;
  };
  CHECK(forgotten([](auto&) {}) > 0);
  CHECK(forgotten([](auto& run) { run.watch_input(); }) == 0);
  CHECK(forgotten([&](auto& run) { run.template watch<"layer3">(net); }) == 0);
}

TEST_CASE("what is watched behind frozen layers is a variable") {
  Small net{Seed{1}};
  for (const auto& p : parameters(net))
    if (!p.path.starts_with("fc")) p.parameter->set_trainable(false);
  Run<Cpu> run;
  run.watch<"layer4">(net);
  const Var<Cpu> y = run(net, run.input(images()));
  CHECK(run.watched("layer4").node()->is_leaf());
  CHECK(grad(score(y), run.watched("layer4")).shape() == Shape{2, 1, 1, 64});
}

TEST_CASE("an error says at which layer it arose") {
  Small net{Seed{1}};
  const Tensor<Cpu> coloured = random_tensor<Cpu>({2, 32, 32, 3}, "coloured");
  Run<Cpu> run;
  CHECK(message_of([&] {
          (void)run(net, Var<Cpu>(coloured));
        }).starts_with("conv2d at conv1: input has 3 channels, expected 1 (input (2, 32, 32, 3)"));
  at<"layer2.0.conv1">(net).weight.bind(Tensor<Cpu>(Shape{16, 3, 3, 5}, 0.f));
  CHECK(message_of([&] {
          (void)run(net, Var<Cpu>(images()));
        }).starts_with("conv2d at layer2.0.conv1: input has 8 channels, expected 5 (input (2, 8, 8, 8)"));
  try {
    (void)run(net, Var<Cpu>(images()));
    FAIL("no error");
  } catch (const ShapeError& error) {  // the type is kept
    CHECK(error.where() == "layer2.0.conv1");
  }
}

TEST_CASE("a layer called by itself has no path") {
  const Small net{Seed{1}};
  Run<Cpu> run;
  CHECK(message_of([&] {
          (void)run(net.conv1, Var<Cpu>(random_tensor<Cpu>({1, 8, 8, 2}, "x")));
        }).starts_with("conv2d: input has 2 channels, expected 1"));
}

TEST_CASE("check_finite names the first layer whose output is not finite") {
  Small net{Seed{1}};
  at<"layer3.0.bn2">(net).bias.value()(2) = std::numeric_limits<float>::infinity();
  Run<Cpu> run;
  const Var<Cpu> y = run(net, Var<Cpu>(images()));
  CHECK(!std::isfinite(y.value().data()[0]));
  run.check_finite = true;
  CHECK(message_of([&] { (void)run(net, Var<Cpu>(images())); }) ==
        "at layer3.0.bn2: the output is not finite: element 2 of (2, 2, 2, 32) is inf");
}

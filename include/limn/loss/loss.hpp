// Losses are values: CrossEntropy{} + 10.f * LapSupervision{} is again a loss. Each term keeps its name, so that a
// training log shows what every term was.
//
// A term is a class with a name and a call that makes one number of a training step:
//   struct MyTerm {
//     static constexpr const char* name = "my_term";
//     template <Backend B> Var<B> operator()(const Step<B>& step) const;   // shape (1)
//   };
// It may also have, before a pass, a word on what the call will need of it (run.watch<"layer4">(net),
// run.watch_input()):
//   template <class Net, Backend B> void watch(const Net& net, Run<B>& run) const;
// and, where it remembers something from step to step, what becomes of it when a step is done, and the tensors in which
// it is, sharing their numbers:
//   template <Backend B> void commit(const Step<B>& step);
//   std::vector<std::pair<std::string, Tensor<CpuDouble>>> state() const;
// and, where it compares domains, a refusal of data that knows of too few or too many of them:
//   void check_domains(Index known) const;
// A term that has to know what the network says of other pictures calls step.again(pictures).
#pragma once

#include <concepts>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/core/function_ref.hpp"
#include "limn/nn/run.hpp"
#include "limn/ops/ops.hpp"

namespace limn {

/// What a network is shown in one step.
template <Backend B>
struct Batch {
  Tensor<B> images;                    ///< (n, h, w, c)
  std::vector<Index> labels;           ///< n
  Tensor<B> masks;                     ///< (n, h, w, 1), 0 or 1; meaningless where has_mask is 0
  std::vector<std::uint8_t> has_mask;  ///< n
  std::vector<Index> domains = {};     ///< n, as Dataset::domain_names() counts them; empty where there are none
};

/// A further pass in a step of training: what the network said of other pictures, and what it left on the way.
template <Backend B>
struct Pass {
  Run<B> run;
  Var<B> logits;  ///< (n, classes)
};

/// How a step shows its network other pictures: everything that the loss watches is watched in `run`, too.
template <Backend B>
using ShowNetwork = FunctionRef<Var<B>(const Tensor<B>& images, Run<B>& run)>;

/// What a loss sees: the batch, what the network answered, and what it left on the way (LAP maps).
template <Backend B>
struct Step {
  const Batch<B>& batch;
  const Var<B>& logits;  ///< (n, classes)
  const Run<B>& run;
  double progress = 1;  ///< the share of the training that is done, for terms that change in its course
  const ShowNetwork<B>* network = nullptr;  ///< for again(); one_step() and train::fit give it

  /// Shows the network other pictures (n, h, w, c): the same parameters, training or not as in the pass of the batch,
  /// the same draws. Its gradients are part of the loss. Running statistics stay those of the batch: made-up pictures
  /// are not what the network will be asked about. Throws Error where the step has no network.
  [[nodiscard, gnu::cold]] Pass<B> again(const Tensor<B>& images) const {
    require(network != nullptr, "the loss shows the network other pictures, and this step has none (see one_step)");
    Pass<B> out;
    out.run.training = run.training;
    out.run.checkpoint = run.checkpoint;
    out.run.seed = run.seed;
    out.logits = (*network)(images, out.run);
    return out;
  }
};

template <class T>
concept LossTerm = requires(const T& term, const Step<Cpu>& step) {
  { T::name } -> std::convertible_to<std::string>;
  { term(step) } -> std::convertible_to<Var<Cpu>>;
};

/// A term and its weight in the sum.
template <LossTerm T>
struct Weighted {
  T term;
  float weight = 1;
};

/// The value of a loss: the weighted sum, and each term by itself, unweighted.
template <Backend B>
struct LossValue {
  Var<B> total;
  std::vector<std::pair<std::string, double>> terms;
};

template <class... T>
struct Loss {
  std::tuple<Weighted<T>...> terms;

  /// Asks for what the terms will need of a pass. train::fit does so before every step; with a loop of your own:
  /// loss.watch(net, run); then run(net, run.input(images)).
  template <std::size_t First = 0, class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    if constexpr (First < sizeof...(T)) {  // no std::apply: the message about a wrong layer stays readable
      const auto& term = std::get<First>(terms).term;
      if constexpr (requires { term.watch(net, run); }) term.watch(net, run);
      watch<First + 1>(net, run);
    }
  }

  template <Backend B>
  [[nodiscard]] LossValue<B> operator()(const Step<B>& step) const {
    LossValue<B> out;
    const auto add = [&](const auto& weighted) {
      const Var<B> value = weighted.term(step);
      require<ShapeError>(value.size() == 1, weighted.term.name, ": a loss is one number, got shape ", value.shape());
      out.terms.push_back({weighted.term.name, static_cast<double>(value.item())});
      const Var<B> part = weighted.weight == 1 ? value : value * static_cast<typename B::scalar>(weighted.weight);
      out.total = out.total.empty() ? part : out.total + part;
    };
    std::apply([&](const auto&... weighted) { (add(weighted), ...); }, terms);
    return out;
  }

  /// The step is done: terms that remember take note of it.
  template <Backend B>
  [[gnu::cold]] void commit(const Step<B>& step) {
    const auto tell = [&](auto& term) {
      if constexpr (requires { term.commit(step); }) term.commit(step);
    };
    std::apply([&](auto&... weighted) { (tell(weighted.term), ...); }, terms);
  }
  /// What the terms remember, by number and name: tensors that share the terms' numbers. To go on later with the same
  /// bits, copy what they hold into those of a loss of the same terms.
  [[nodiscard, gnu::cold]] std::vector<std::pair<std::string, Tensor<CpuDouble>>> state() const {
    std::vector<std::pair<std::string, Tensor<CpuDouble>>> out;
    Index number = 0;
    const auto collect = [&](const auto& term) {
      if constexpr (requires { term.state(); })
        for (auto& [name, tensor] : term.state())
          out.emplace_back(text("loss/", number, "/", term.name, "/", name), std::move(tensor));
      ++number;
    };
    std::apply([&](const auto&... weighted) { (collect(weighted.term), ...); }, terms);
    return out;
  }
};

namespace detail {
template <class T>
constexpr bool is_loss = false;
template <class... T>
constexpr bool is_loss<Loss<T...>> = true;
}  // namespace detail

/// A term, a weighted term, or a sum of them.
template <class T>
concept AnyLoss = LossTerm<T> || detail::is_loss<T>;

template <AnyLoss T>
[[nodiscard]] constexpr auto as_loss(T loss) {
  if constexpr (detail::is_loss<T>) {
    return loss;
  } else {
    return Loss<T>{{Weighted<T>{std::move(loss)}}};
  }
}

/// The sum of two losses. Taken whenever one side is a loss, so that the message about the other side is ours.
template <class L, class R>
requires(AnyLoss<L> || AnyLoss<R>) [[nodiscard]] constexpr auto operator+(L left, R right) {
  constexpr bool both = AnyLoss<L> && AnyLoss<R>;
  static_assert(both,
                "limn: this is not a loss: a term needs static constexpr const char* name and "
                "template <Backend B> Var<B> operator()(const Step<B>&) const");
  if constexpr (both) {
    return [&]<class... A, class... B>(Loss<A...> a, Loss<B...> b) {
      return Loss<A..., B...>{std::tuple_cat(std::move(a.terms), std::move(b.terms))};
    }(as_loss(std::move(left)), as_loss(std::move(right)));
  } else {
    return left;  // so that the message above stays the only one
  }
}

template <AnyLoss T>
[[nodiscard]] constexpr auto operator*(float weight, T loss) {
  auto out = as_loss(std::move(loss));
  std::apply([&](auto&... weighted) { ((weighted.weight *= weight), ...); }, out.terms);
  return out;
}

/// The pass of a batch through a network, and the loss of it: for loops of your own. `run` says how (training, seed)
/// and keeps what the pass left; call run.commit() after the update.
template <AnyLoss L, class Net, Backend B>
[[nodiscard]] LossValue<B> one_step(const L& loss, const Net& net, const Batch<B>& batch, Run<B>& run,
                                    double progress = 1) {
  const auto sum = as_loss(loss);
  const auto show = [&](const Tensor<B>& images, Run<B>& pass) {
    sum.watch(net, pass);
    return pass(net, pass.input(images));
  };
  const ShowNetwork<B> again(show);
  const Var<B> logits = show(batch.images, run);
  return sum(Step<B>{batch, logits, run, progress, &again});
}

}  // namespace limn

// train::fit: trains a network on a data set.
//   auto fit = train::fit(net, loss, Adam{{.lr = 1e-4f}}, train, val, {.epochs = 30, .batch = 32, .out = "runs/lap"});
#pragma once

#include <string>
#include <utility>

#include "limn/train/loop.hpp"
#include "limn/train/progress.hpp"

namespace limn::train {

namespace detail {

template <class Net>
constexpr NetworkFacts facts_of() {
  NetworkFacts out{-1, -1, false};
  if constexpr (requires { Net::in_channels; }) out.in_channels = Net::in_channels;
  if constexpr (requires { Net::out_channels; }) out.out_channels = Net::out_channels;
  if constexpr (requires { Net::outputs_are_fixed; }) out.fixed = Net::outputs_are_fixed;
  return out;
}

/// "cross_entropy + 10 lap_supervision"
template <class... T>
std::string describe(const Loss<T...>& loss) {
  std::string out;
  const auto add = [&](const auto& weighted) {
    out += (out.empty() ? "" : " + ") + (weighted.weight == 1 ? std::string() : text(weighted.weight, " ")) +
           weighted.term.name;
  };
  std::apply([&](const auto&... weighted) { (add(weighted), ...); }, loss.terms);
  return out;
}

/// Terms that compare domains have check_domains(how many the data knows), which throws OptionError.
template <class... T>
[[gnu::cold]] void check_domains(const Loss<T...>& loss, const data::Dataset& data) {
  const auto known = static_cast<Index>(data.domain_names().size());
  const auto check = [&](const auto& term) {
    if constexpr (requires { term.check_domains(known); }) term.check_domains(known);
  };
  std::apply([&](const auto&... weighted) { (check(weighted.term), ...); }, loss.terms);
}

/// Shows the network one picture: sizes that do not fit are refused by the layer that they do not fit.
template <Backend B>
[[gnu::cold]] void try_out(const Learner<B>& learner, const data::Dataset& data, const FitOptions& options) {
  const NoRecord off;
  Run<B> run;
  data::HostBatch host = *data::Loader(data, {.batch = 1, .prefetch = 0}).epoch(0).next();
  const Var<B> logits = learner.network(to_batch<B>(std::move(host)).images, run);
  require<ShapeError>(logits.shape() == Shape{1, data.classes()}, "fit: for one picture the network gives ",
                      logits.shape(), ", expected logits ", Shape{1, data.classes()});
  require<OptionError>(!learner.checkpoint || run.has_parts(),
                       "fit: checkpoint: the network has no Sequential and calls nothing by run.part or run.section");
  Run<B> watched;
  learner.watch(watched);
  require<OptionError>(!learner.checkpoint || !watched.watches(),
                       "fit: checkpoint: the loss watches layers or the pictures, and such a pass keeps everything");
  require<OptionError>(options.monitor != "val_total" || !watched.watches(),
                       "fit: val_total: the loss watches layers or the pictures, which validation does not");
}

}  // namespace detail

/// Trains all of `net` that is not frozen, in place. `loss`: a term or a sum of terms; `optimizer`: Sgd or Adam. Every
/// epoch is followed by validation (cross-entropy, accuracy, AUC) and, with options.out, a checkpoint.
///
/// Ctrl-C and SIGTERM end the run after the step under way with a checkpoint; the second one kills. Killed at any
/// instruction, a run can go on from its last checkpoint ({.resume = true}) with the same bits as if it had not been.
/// With batch normalisation, a last batch of one picture is left out.
///
/// Throws before the first step: OptionError, ShapeError, FileError for anything that does not fit. Throws Error when a
/// number is not finite, naming the layer, the epoch and the pictures; the checkpoint before it stays.
template <class Net, AnyLoss L, class Chosen>
[[gnu::cold]] Fit fit(Net& net, const L& loss, const Chosen& optimizer, const data::Dataset& train,
                      const data::Dataset& val, const FitOptions& asked = {}) {
  using B = backend_of<Net>;
  auto sum = as_loss(loss);  // a copy: what its terms remember begins as it is in `loss`, which stays so
  detail::NetworkFacts facts = detail::facts_of<Net>();
  const FitOptions options = detail::resolved(asked, facts);
  detail::Learner<B> learner{[&net](const Var<B>& images, Run<B>& run) { return run(net, images); },
                             [&net, &sum](Run<B>& run) { sum.watch(net, run); },
                             [&sum](const Step<B>& step) { return sum(step); },
                             [&sum](const Step<B>& step) { sum.commit(step); },
                             sum.state(),
                             leaves(net),
                             make_optimizer(optimizer, net),
                             options.checkpoint};
  for (const auto& leaf : learner.leaves) facts.batch_norm = facts.batch_norm || leaf.buffer != nullptr;
  detail::check_options(options);
  for (const ParameterGroup& group : optimizer.groups)
    if (group.schedule) check_schedule(*group.schedule, options.epochs);
  detail::check_data(train, val, facts, options);
  detail::check_domains(sum, train);
  if (options.monitor == "val_total") detail::check_domains(sum, val);
  detail::try_out(learner, val, options);
  const Progress progress =
      options.quiet || options.progress.step || options.progress.epoch ? options.progress : stderr_progress();
  return detail::Loop<B>(std::move(learner), train, val, options, progress,
                         {{"loss", detail::describe(sum)}, {"optimiser", limn::describe(optimizer, options.epochs)}})
      .run();
}

}  // namespace limn::train

// One step of training and one pass over validation pictures, for any network and loss; and where to look when a number
// is not finite.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/function_ref.hpp"
#include "limn/evaluate/predict.hpp"
#include "limn/loss/loss.hpp"
#include "limn/metrics/classification.hpp"
#include "limn/optim/optimizer.hpp"

namespace limn::train {

namespace detail {

/// A network, its loss and its optimiser without their types, so that the loop around them is compiled once.
template <Backend B>
struct Learner {
  OwnedFunction<Var<B>(const Var<B>& images, Run<B>& run)> network;
  OwnedFunction<void(Run<B>& run)> watch;  ///< what the loss needs of a pass
  OwnedFunction<LossValue<B>(const Step<B>& step)> loss;
  OwnedFunction<void(const Step<B>& step)> commit;  ///< of the loss: what it remembers of a step that is done
  std::vector<std::pair<std::string, Tensor<CpuDouble>>> memory;  ///< of the loss (Loss::state)
  std::vector<Leaf<B>> leaves;
  Optimizer<B> optimizer;
  bool checkpoint = false;  ///< as in FitOptions
};

/// Where a batch came from, for messages.
struct Place {
  const data::Dataset& data;
  const std::vector<Index>& positions;
  std::string when;  ///< "epoch 3, batch 17"
};

/// Throws the error about a number that is not finite, naming the picture, the layer, the term or the parameter that it
/// comes from first.
template <Backend B>
[[noreturn, gnu::cold]] void blame(const Learner<B>& learner, const Batch<B>& batch, const std::string& found,
                                   const Place& place, bool training) {
  constexpr std::size_t most = 64;
  std::string message = found + " in " + place.when + ": ", ids;
  const Index pixels = batch.images.size() / static_cast<Index>(place.positions.size());
  for (std::size_t i = 0; i < place.positions.size(); ++i) {
    const std::string& id = place.data[place.positions[i]].id;
    if (i < most) ids += (i ? ", " : "") + id;
    const auto* values = batch.images.data() + static_cast<Index>(i) * pixels;
    require(std::ranges::all_of(values, values + pixels, [](auto v) { return std::isfinite(v); }), message,
            "the picture ", id, " has a value that is not finite");
  }
  ids = "; the batch is " + ids;
  if (place.positions.size() > most) ids += text(" and ", place.positions.size() - most, " more");
  std::string cause = "the network's output is finite";
  try {
    const NoRecord off;
    Run<B> run;
    run.training = training;
    run.check_finite = true;
    learner.network(batch.images, run);
  } catch (const Error& error) {
    cause = error.what();
  }
  throw Error(message + cause + ids);
}

/// One update, `progress` of the way through the training; `seed` is what layers draw from. Returns the loss ("loss")
/// and its terms, if it has several.
template <Backend B>
std::vector<std::pair<std::string, double>> train_batch(Learner<B>& learner, data::HostBatch host,
                                                        const RateFactor& factor, double progress, Seed seed,
                                                        const Place& place) {
  const Batch<B> batch = to_batch<B>(std::move(host));
  Run<B> run;
  run.training = true;
  run.checkpoint = learner.checkpoint;
  run.seed = seed;
  const auto show = [&](const Tensor<B>& images, Run<B>& pass) {
    learner.watch(pass);
    return learner.network(pass.input(images), pass);
  };
  const ShowNetwork<B> again(show);
  const Var<B> logits = show(batch.images, run);
  const Step<B> step{batch, logits, run, progress, &again};
  const LossValue<B> value = learner.loss(step);
  std::vector<std::pair<std::string, double>> terms{{"loss", static_cast<double>(value.total.item())}};
  if (value.terms.size() > 1) append(terms, value.terms);
  for (const auto& [name, number] : terms)
    if (!std::isfinite(number)) blame(learner, batch, text(name, " is ", number), place, true);

  const auto gradients = grad<B>({value.total}, learner.optimizer.variables());
  if (!std::isfinite(gradient_norm(gradients))) {
    std::size_t i = 0;  // the last parameter: the gradient comes from behind
    for (std::size_t k = 0; k < gradients.size(); ++k)
      if (!std::isfinite(gradient_norm<B>({gradients[k]}))) i = k;
    blame(learner, batch, "the gradient of " + learner.optimizer.path(i) + " is not finite", place, true);
  }
  learner.optimizer.step(gradients, factor);
  run.commit();
  learner.commit(step);
  return terms;
}

struct Validation {
  double loss = 0, accuracy = 0, auc = 0;
  double total = 0;  ///< of the loss itself, where it was asked for
};

/// Cross-entropy, accuracy and AUC, with `total` the loss itself, nothing recorded; nothing where `stop` says so.
template <Backend B>
[[gnu::cold]] std::optional<Validation> validate(const Learner<B>& learner, const data::Loader& loader, Index epoch,
                                                 const FunctionRef<bool()>& stop, bool total = false) {
  const NoRecord off;
  const auto count = static_cast<std::size_t>(loader.samples()),
             classes = static_cast<std::size_t>(loader.dataset().classes());
  auto probabilities = xt::xtensor<float, 2>::from_shape({count, classes});
  std::vector<Index> labels;
  double loss = 0, of_all_terms = 0;
  auto batches = loader.epoch(0);
  PackedWeights<B> packed;
  const auto show = [&](const Tensor<B>& images, Run<B>& pass) { return learner.network(images, pass); };
  const ShowNetwork<B> again(show);
  while (auto host = batches.next()) {
    if (stop()) return std::nullopt;
    const std::vector<Index> positions = host->positions;
    const Batch<B> batch = to_batch<B>(std::move(*host));
    Run<B> run;
    run.packed = &packed;
    const Var<B> logits = learner.network(batch.images, run);
    if (total)
      of_all_terms += static_cast<double>(learner.loss(Step<B>{batch, logits, run, 1, &again}).total.item()) *
                      static_cast<double>(positions.size());
    const auto* row = logits.value().data();
    for (std::size_t i = 0; i < positions.size(); ++i, row += classes) {
      double sum = 0, largest = static_cast<double>(*std::max_element(row, row + classes));
      for (std::size_t k = 0; k < classes; ++k) sum += std::exp(static_cast<double>(row[k]) - largest);
      if (!std::isfinite(sum))
        blame(learner, batch, "the output is not finite",
              {loader.dataset(), positions, text("the validation of epoch ", epoch)}, false);
      for (std::size_t k = 0; k < classes; ++k)
        probabilities(labels.size(), k) = static_cast<float>(std::exp(static_cast<double>(row[k]) - largest) / sum);
      loss += largest + std::log(sum) - static_cast<double>(row[batch.labels[i]]);
      labels.push_back(batch.labels[i]);
    }
  }
  const auto scores = metrics::classification(probabilities, labels);
  return Validation{loss / static_cast<double>(count), scores.accuracy, scores.auc,
                    of_all_terms / static_cast<double>(count)};
}

}  // namespace detail

}  // namespace limn::train

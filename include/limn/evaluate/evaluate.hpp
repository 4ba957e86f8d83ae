// evaluate(net, data, metrics...): one value with all scores of a network on a data set.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/evaluate/predict.hpp"
#include "limn/explain/explanation.hpp"
#include "limn/metrics/scores.hpp"

namespace limn {

namespace metrics {

/// Accuracy, AUC, F1, ... (metrics/classification.hpp).
struct Classification {};

/// Where the explainers' maps of correctly predicted pictures fall, compared with the masks of the data
/// (metrics/localisation_study.hpp). Pictures without a mask, with an empty one, or whose class is not the
/// predicted one are left out.
template <class... Explainers>
struct Localisation {
  std::tuple<Explainers...> explainers;
  data::Dataset learn_from = {};  ///< pictures on which the learned threshold is fitted; empty: no such score
  Index only = -1;                ///< pictures of this class alone; -1: of all

  explicit Localisation(Explainers... e) : explainers(std::move(e)...) {}
  /// Fits the learned threshold (class-balanced ridge on pixels) on these pictures: the validation set.
  [[nodiscard]] Localisation learning_from(const data::Dataset& validation) const {
    Localisation out = *this;
    out.learn_from = validation;
    return out;
  }
  /// Scores pictures of this class alone, so that explainers which have no map for the other classes are compared on
  /// the same pictures as those that have.
  [[nodiscard]] Localisation of_class(Index label) const {
    Localisation out = *this;
    out.only = label;
    return out;
  }
};

}  // namespace metrics

namespace detail {

/// Calls visit(sample, explanation) for every correctly predicted picture (of class `only`, unless that is -1) with a
/// mask that is not empty.
template <class Net, class Explainer, class Visit>
void explain_hits(const Net& net, const data::Dataset& set, const Explainer& explainer, Index only,
                  const Visit& visit) {
  using B = backend_of<Net>;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    Run<B> run;
    const Batch<B> batch = to_batch<B>(*host);
    const auto predicted = predicted_classes(probabilities(net, batch.images, run));
    const auto explanations = explainer(net, batch.images, std::span<const Index>(batch.labels));
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const data::Sample& sample = set[host->positions[i]];
      const bool marked =
          sample.mask && std::any_of(sample.mask->begin(), sample.mask->end(), [](float v) { return v > 0; });
      if (predicted[i] == batch.labels[i] && (only < 0 || batch.labels[i] == only) && marked &&
          explanations[i].map.size() > 0)
        visit(sample, explanations[i]);
    }
  }
}

template <class Net>
void evaluate_one(const Net& net, const data::Dataset& set, const metrics::Classification&, metrics::Scores& out) {
  using B = backend_of<Net>;
  xt::xtensor<float, 2> all;
  std::vector<Index> labels;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    Run<B> run;
    const Batch<B> batch = to_batch<B>(std::move(*host));
    const Tensor<B> p = probabilities(net, batch.images, run);
    if (labels.empty()) all.resize({static_cast<std::size_t>(set.size()), static_cast<std::size_t>(p.dim(1))});
    std::transform(p.data(), p.data() + p.size(), all.data() + static_cast<Index>(labels.size()) * p.dim(1),
                   [](auto v) { return static_cast<float>(v); });
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
  }
  out.classification = metrics::classification(all, labels);
  out.classification.class_names = set.class_names();
}

template <class Net, class... Explainers>
void evaluate_one(const Net& net, const data::Dataset& set, const metrics::Localisation<Explainers...>& localisation,
                  metrics::Scores& out) {
  require<OptionError>(localisation.only >= -1 && localisation.only < set.classes(), "localisation: of_class ",
                       localisation.only, ", expected 0 to ", set.classes() - 1);
  const auto score = [&](const auto& explainer) {
    const auto sized = [](const auto& map, const explain::Explanation& e, const data::Sample& sample) {
      return explain::over_picture(map, e.grid, static_cast<Index>(sample.mask->shape()[0]),
                                   static_cast<Index>(sample.mask->shape()[1]));
    };
    metrics::LocalisationOptions options{.probability = explainer.probability};
    if (!localisation.learn_from.empty()) {
      metrics::LearnedThreshold learned;
      explain_hits(
          net, localisation.learn_from, explainer, localisation.only,
          [&](const data::Sample& sample, const auto& e) { learned.add(sized(e.map, e, sample), *sample.mask); });
      if (learned.fitted()) options.learned = learned;
    }
    metrics::LocalisationStudy study(explainer.name, options);
    explain_hits(net, set, explainer, localisation.only, [&](const data::Sample& sample, const auto& e) {
      std::optional<xt::xtensor<float, 2>> ranking;
      if (e.ranking) ranking = sized(*e.ranking, e, sample);
      study.add(sized(e.map, e, sample), *sample.mask, ranking);
    });
    out.localisation.push_back(study.scores());
  };
  std::apply([&](const auto&... explainer) { (score(explainer), ...); }, localisation.explainers);
}

}  // namespace detail

/// All asked-for scores of a network on a data set, in evaluation mode.
template <class Net, class... Metrics>
[[nodiscard, gnu::cold]] metrics::Scores evaluate(const Net& net, const data::Dataset& set, const Metrics&... asked) {
  require(!set.empty(), "evaluate: the data set is empty");
  metrics::Scores out;
  (detail::evaluate_one(net, set, asked, out), ...);
  return out;
}

}  // namespace limn

// evaluate(net, data, metrics...): one value with all scores of a network on a data set.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/function_ref.hpp"
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

/// A network and one of its explainers, without their types.
template <Backend B>
struct Explained {
  const char* explainer;
  bool probability;  ///< the maps are probabilities
  FunctionRef<Tensor<B>(const Tensor<B>& images)> probabilities;
  FunctionRef<std::vector<explain::Explanation>(const Tensor<B>& images, std::span<const Index> classes)> explain;
};

/// Calls visit(sample, explanation) for every correctly predicted picture (of class `only`, unless that is -1) with a
/// mask that is not empty.
template <Backend B>
[[gnu::cold]] void explain_hits(const Explained<B>& explained, const data::Dataset& set, Index only,
                                const FunctionRef<void(const data::Sample&, const explain::Explanation&)>& visit) {
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const Batch<B> batch = to_batch<B>(*host);
    const auto predicted = predicted_classes(explained.probabilities(batch.images));
    const auto explanations = explained.explain(batch.images, batch.labels);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const data::Sample& sample = set[host->positions[i]];
      const bool marked = sample.mask && std::ranges::any_of(sample.mask->storage(), [](float v) { return v > 0; });
      if (predicted[i] == batch.labels[i] && (only < 0 || batch.labels[i] == only) && marked &&
          explanations[i].map.size() > 0)
        visit(sample, explanations[i]);
    }
  }
}

/// A map over the picture that was explained.
[[gnu::cold]] inline explain::Map over_mask(const explain::Map& map, const explain::Explanation& e,
                                            const data::Sample& sample) {
  return explain::over_picture(map, e.grid, static_cast<Index>(sample.mask->shape()[0]),
                               static_cast<Index>(sample.mask->shape()[1]));
}

/// The threshold that the pictures of explain_hits teach; none where there are none.
template <Backend B>
[[gnu::cold]] std::optional<metrics::LearnedThreshold> learn_threshold(const Explained<B>& explained,
                                                                       const data::Dataset& learn_from, Index only) {
  metrics::LearnedThreshold learned;
  explain_hits<B>(explained, learn_from, only, [&](const data::Sample& sample, const explain::Explanation& e) {
    learned.add(over_mask(e.map, e, sample), *sample.mask);
  });
  return learned.fitted() ? std::optional(learned) : std::nullopt;
}

template <Backend B>
metrics::LocalisationScores localise(const Explained<B>& explained, const data::Dataset& set,
                                     const data::Dataset& learn_from, Index only) {
  metrics::LocalisationOptions options{.probability = explained.probability};
  if (!learn_from.empty()) options.learned = learn_threshold<B>(explained, learn_from, only);
  metrics::LocalisationStudy study(explained.explainer, options);
  explain_hits<B>(explained, set, only, [&](const data::Sample& sample, const explain::Explanation& e) {
    std::optional<explain::Map> ranking;
    if (e.ranking) ranking = over_mask(*e.ranking, e, sample);
    study.add(over_mask(e.map, e, sample), *sample.mask, ranking);
  });
  return study.scores();
}

/// Calls use(Explained) for a network and an explainer.
template <class Net, class Explainer, class Use>
auto with_explained(const Net& net, const Explainer& explainer, const Use& use) {
  using B = backend_of<Net>;
  const auto probabilities = [&](const Tensor<B>& images) {
    Run<B> run;
    return limn::probabilities(net, images, run);
  };
  const auto explain = [&](const Tensor<B>& images, std::span<const Index> classes) {
    return explainer(net, images, classes);
  };
  return use(Explained<B>{explainer.name, explainer.probability, probabilities, explain});
}

template <class Net>
void evaluate_one(const Net& net, const data::Dataset& set, const metrics::Classification&, metrics::Scores& out) {
  using B = backend_of<Net>;
  xt::xtensor<float, 2> all;
  std::vector<Index> labels;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  PackedWeights<B> packed;
  while (auto host = stream.next()) {
    Run<B> run;
    run.packed = &packed;
    const Batch<B> batch = to_batch<B>(std::move(*host));
    const Tensor<B> p = probabilities(net, batch.images, run);
    if (labels.empty()) all.resize({static_cast<std::size_t>(set.size()), static_cast<std::size_t>(p.dim(1))});
    std::transform(p.data(), p.data() + p.size(), all.data() + static_cast<Index>(labels.size()) * p.dim(1),
                   [](auto v) { return static_cast<float>(v); });
    append(labels, batch.labels);
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
    out.localisation.push_back(with_explained(net, explainer, [&](const auto& explained) {
      return localise(explained, set, localisation.learn_from, localisation.only);
    }));
  };
  std::apply([&](const auto&... explainer) { (score(explainer), ...); }, localisation.explainers);
}

/// Any other metric puts its scores into their places itself.
template <class Net, class Metric>
requires requires(const Net& net, const data::Dataset& set, const Metric& metric, metrics::Scores& out) {
  metric(net, set, out);
}
void evaluate_one(const Net& net, const data::Dataset& set, const Metric& metric, metrics::Scores& out) {
  metric(net, set, out);
}

}  // namespace detail

/// All asked-for scores of a network on a data set, in evaluation mode. Metrics: those above,
/// metrics::Faithfulness (evaluate/faithfulness.hpp), and whatever can be called as metric(net, set, scores).
template <class Net, class... Metrics>
[[nodiscard, gnu::cold]] metrics::Scores evaluate(const Net& net, const data::Dataset& set, const Metrics&... asked) {
  require(!set.empty(), "evaluate: the data set is empty");
  metrics::Scores out;
  (detail::evaluate_one(net, set, asked, out), ...);
  return out;
}

}  // namespace limn

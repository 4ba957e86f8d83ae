// Faithfulness of explanations: asks a network about pictures from which parts are taken away in the order of a map
// (metrics/faithfulness.hpp has the definitions).
//   auto scores = evaluate(net, test, metrics::Faithfulness{explain::Lap{}, explain::GradCam<"layer4">{}});
//   auto lap = score_faithfulness(net, test, explain::Lap{}).column("SRG");   // picture by picture, for tests
#pragma once

#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/evaluate/evaluate.hpp"
#include "limn/io/csv.hpp"
#include "limn/metrics/faithfulness.hpp"
#include "limn/metrics/superpixels.hpp"
#include "limn/report/faithfulness.hpp"
#include "limn/report/text.hpp"

namespace limn {

namespace detail {

/// Answers to perturbed pictures, asked for one by one and given a full batch at a time.
template <Backend B>
class Questions {
 public:
  Questions(const Explained<B>& explained, Index batch, Index top) : explained_(&explained), batch_(batch), top_(top) {}

  /// A new picture (1, h, w, c) of a batch follows: its own answer is known.
  void begin(const Tensor<B>& probabilities, Index row, Index of_class, std::size_t variants) {
    classes_.push_back(of_class);
    answers_.emplace_back(variants);
    answers_.back()[0] = answer(probabilities, row, of_class);
  }

  /// The numbers of the next perturbed picture, to be written before anything else is asked: variant v of the picture
  /// last begun.
  typename B::scalar* next(std::size_t v, const Shape& images) {
    if (static_cast<Index>(waiting_.size()) == batch_) ask();
    if (rows_.empty()) rows_ = Tensor<B>(Shape{batch_, images[1], images[2], images[3]});
    waiting_.emplace_back(answers_.size() - 1, v);
    return rows_.data() + static_cast<Index>(waiting_.size() - 1) * (rows_.size() / batch_);
  }

  /// All answers, by picture and variant.
  const std::vector<std::vector<metrics::Answer>>& answers() {
    if (!waiting_.empty()) ask();
    return answers_;
  }

 private:
  void ask() {
    const Index count = static_cast<Index>(waiting_.size());
    Tensor<B> images = rows_;
    if (count < batch_)
      images = Tensor<B>(
          Shape{count, rows_.dim(1), rows_.dim(2), rows_.dim(3)},
          std::span<const typename B::scalar>(rows_.data(), static_cast<std::size_t>(rows_.size() / batch_ * count)));
    const Tensor<B> p = explained_->probabilities(images);
    for (Index i = 0; i < count; ++i) {
      const auto [picture, variant] = waiting_[static_cast<std::size_t>(i)];
      answers_[picture][variant] = answer(p, i, classes_[picture]);
    }
    waiting_.clear();
  }

  metrics::Answer answer(const Tensor<B>& p, Index row, Index of_class) const {
    const auto own = p(row, of_class);
    require(std::isfinite(own), "faithfulness: the network gives a perturbed picture the probability ", own);
    Index before = 0;
    for (Index c = 0; c < p.dim(1); ++c) before += p(row, c) > own || (p(row, c) == own && c < of_class);
    return {before < top_ ? 1. : 0., static_cast<double>(own)};
  }

  const Explained<B>* explained_;
  Index batch_, top_;
  Tensor<B> rows_;                                            // the batch that is being filled
  std::vector<std::pair<std::size_t, std::size_t>> waiting_;  // picture and variant of its rows
  std::vector<Index> classes_;
  std::vector<std::vector<metrics::Answer>> answers_;
};

template <Backend B>
[[gnu::cold]] metrics::FaithfulnessPictures score_faithfulness(const Explained<B>& explained, const data::Dataset& set,
                                                               const metrics::FaithfulnessOptions& options) {
  require(!set.empty(), "faithfulness: the data set is empty");
  require<OptionError>(options.only >= -1 && options.only < set.classes(), "faithfulness: only ", options.only,
                       ", expected -1 to ", set.classes() - 1);
  const bool own_units = options.superpixels > 0;
  metrics::Units units = own_units ? metrics::superpixels(set[0].image, options.superpixels, options.compactness)
                                   : metrics::patches(set.height(), set.width(), options.patch);
  metrics::FaithfulnessPlan plan(options, units.count);
  metrics::FaithfulnessPictures out{.explainer = explained.explainer, .measures = plan.measures()};
  Questions<B> questions(explained, options.batch, options.top);
  std::vector<std::vector<Index>> ranks;  // of the pictures that are asked about, and
  std::vector<Index> counts;              // of their units

  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const std::vector<Index> positions = host->positions;
    const Batch<B> batch = to_batch<B>(std::move(*host));
    const Tensor<B> p = explained.probabilities(batch.images);
    const std::vector<Index> predicted = predicted_classes(p);
    const std::vector<Index>& classes = options.explains == metrics::Explains::predicted ? predicted : batch.labels;
    if (options.only >= 0 && std::ranges::find(classes, options.only) == classes.end()) continue;
    const auto explanations = explained.explain(batch.images, classes);
    const Tensor<B> fill = filled(batch.images, options.fill);
    const Tensor<B> other = options.step > 0 ? filled(batch.images, options.insert_from) : fill;
    const Index pixels = set.height() * set.width(), channels = batch.images.dim(3);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (options.only >= 0 && classes[i] != options.only) continue;
      metrics::PictureFaithfulness picture{
          .id = set[positions[i]].id, .label = batch.labels[i], .predicted = predicted[i], .explained = classes[i]};
      const explain::Explanation& e = explanations[i];
      const explain::Map& ranking = e.ranking ? *e.ranking : e.map;
      if (ranking.size() == 0) {
        plan.leave("the explainer has no map for the class", picture);
      } else if (metrics::is_constant(ranking)) {
        plan.leave("the map is the same everywhere", picture);
      } else {
        if (own_units) {
          units = metrics::superpixels(set[positions[i]].image, options.superpixels, options.compactness);
          plan = metrics::FaithfulnessPlan(options, units.count);
        }
        counts.push_back(units.count);
        ranks.push_back(metrics::ranks_of(explain::over_picture(ranking, e.grid, set.height(), set.width()), units));
        questions.begin(p, static_cast<Index>(i), classes[i], plan.variants().size());
        const Index from = static_cast<Index>(i) * pixels * channels;
        for (std::size_t v = 1; v < plan.variants().size(); ++v) {
          const metrics::Perturbed& variant = plan.variants()[v];
          const auto* own = batch.images.data() + from;
          const auto* instead = (variant.insertion ? other : fill).data() + from;
          auto* to = questions.next(v, batch.images.shape());
          for (Index k = 0; k < pixels; ++k) {
            const bool taken = variant.takes(ranks.back()[static_cast<std::size_t>(k)], units.count);
            std::copy_n((taken ? instead : own) + k * channels, channels, to + k * channels);
          }
        }
      }
      out.pictures.push_back(std::move(picture));
    }
  }
  std::size_t asked = 0;
  const auto& answers = questions.answers();
  for (metrics::PictureFaithfulness& picture : out.pictures) {
    if (!picture.reason.empty()) continue;
    if (plan.units() != counts[asked]) plan = metrics::FaithfulnessPlan(options, counts[asked]);
    plan.measure(ranks[asked], answers[asked], picture);
    ++asked;
  }
  return out;
}

}  // namespace detail

/// The faithfulness of an explainer's maps to the network, picture by picture, in the order of the set. Ranks are those
/// of the explanation's `ranking` where it has one. Costs plan.variants() passes of the network a picture: by default
/// about 43, with `step` 2 (pixels / step) more. Throws OptionError for options that do not go together with the data.
template <class Net, class Explainer>
[[nodiscard]] metrics::FaithfulnessPictures score_faithfulness(const Net& net, const data::Dataset& set,
                                                               const Explainer& explainer,
                                                               const metrics::FaithfulnessOptions& options = {}) {
  using B = backend_of<Net>;
  PackedWeights<B> packed;
  const auto ask = [&](const Tensor<B>& images) {
    Run<B> run;
    run.packed = &packed;
    return probabilities(net, images, run);
  };
  const auto explain = [&](const Tensor<B>& images, std::span<const Index> classes) {
    return explainer(net, images, classes);
  };
  return detail::score_faithfulness<B>({explainer.name, explainer.probability, ask, explain}, set, options);
}

/// Writes id, label, predicted, explained, the measures and why they are undefined, a row a picture, atomically. Throws
/// FileError.
[[gnu::cold]] inline void save_pictures(const std::filesystem::path& path,
                                        const metrics::FaithfulnessPictures& scored) {
  std::string out = "id,label,predicted,explained";
  for (const std::string& measure : scored.measures) out += "," + report::slug(measure);
  std::size_t steps = 0;
  for (const metrics::PictureFaithfulness& p : scored.pictures) steps = std::max(steps, p.degradation.lif.size());
  for (const char* side : {"lerf_", "morf_"})
    for (std::size_t k = 0; k < steps; ++k) out += text(",", side, k);
  out += ",undefined\n";
  for (const metrics::PictureFaithfulness& p : scored.pictures) {
    out += text(io::csv_cell(p.id), ",", p.label, ",", p.predicted, ",", p.explained);
    for (const double v : p.values) out += "," + io::csv_number(v);
    for (const std::vector<double>* side : {&p.degradation.lif, &p.degradation.mif})
      for (std::size_t k = 0; k < steps; ++k)
        out += "," + io::csv_number(k < side->size() ? (*side)[k] : metrics::undefined_value);
    out += "," + io::csv_cell(p.reason) + "\n";
  }
  io::write_file_atomically(path, out);
}

namespace metrics {

/// For evaluate(): what the explainers' maps are worth to the network (scores.faithfulness).
template <class... Explainers>
struct Faithfulness {
  std::tuple<Explainers...> explainers;
  FaithfulnessOptions options = {};

  explicit Faithfulness(Explainers... e) : explainers(std::move(e)...) {}
  [[nodiscard]] Faithfulness with(const FaithfulnessOptions& other) const {
    Faithfulness out = *this;
    out.options = other;
    return out;
  }
  template <class Net>
  void operator()(const Net& net, const data::Dataset& set, Scores& out) const {
    out.views = &report::faithfulness_views;
    std::apply(
        [&](const auto&... explainer) {
          (out.faithfulness.push_back(score_faithfulness(net, set, explainer, options).scores()), ...);
        },
        explainers);
  }
};

}  // namespace metrics

}  // namespace limn

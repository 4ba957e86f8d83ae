// Explanation-aware learning: a loss that compares where a network looks with what was annotated, any differentiable
// explainer with any design of comparison.
//   auto loss = CrossEntropy{} + 0.25f * ExplanationLoss<GradCam<"layer4">, OutsideMass>{{.top = .5f}};
#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <vector>

#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/gradients/input_gradient.hpp"
#include "limn/loss/explanation/designs.hpp"
#include "limn/loss/loss.hpp"

namespace limn {

using explain::GradCam;

/// How a map's values are scaled before they are compared.
enum class Scale {
  automatic,  ///< min_max, but none for an explainer that gives probabilities
  min_max,    ///< picture by picture to 0 .. 1
  none
};

/// Where map and mask are compared.
enum class Compare {
  on_map,     ///< the mask is averaged onto the elements of the map: cheap, no made-up elements, no pixel forgotten
  on_picture  ///< the map is resized to the picture (bilinear, every element where it lies)
};

struct ExplanationOptions {
  float top = 1;                   ///< the share of the map's elements that the gate keeps; 1: no gate
  Gate gate = Gate::soft_values;   ///< how the others are taken away
  Score score = Score::automatic;  ///< what is explained
  Weights weights = Weights::exact;
  Scale scale = Scale::automatic;
  Compare compare = Compare::on_map;
  /// Grad-CAM's ReLU keeps this share of what is negative, while maps are scaled. A map that became negative everywhere
  /// is 0 after a ReLU, has no gradient, and never comes back; the loss drives many there (docs/explanation_loss.md).
  /// 0: the published map.
  float leak = .01f;
  Index only = -1;  ///< pictures of this class alone; -1: of all
};

/// How a map and a mask are compared: see designs.hpp.
template <class D>
concept ExplanationDesign = requires(const D& design, const Var<Cpu>& map) {
  { D::name } -> std::convertible_to<std::string>;
  { design(map, map) } -> std::convertible_to<Var<Cpu>>;
};

/// The mean of the design over the pictures that count: with a mask that is not empty, of the class `only`, and of a
/// class that the explainer has something to say about. The class that is explained is the picture's label. Without any
/// such picture it is 0 and has no gradient. Maps come from the training pass itself, so what the network is asked is
/// what it was when it learned: with batch normalisation, by the statistics of the batch.
///
/// A pass that is watched keeps everything (Run::checkpoint has no effect) and computes no layers together.
/// Throws OptionError for options out of range, Error from the first step for a network that lacks what is watched.
template <class Explainer, ExplanationDesign Design>
requires explain::DifferentiableExplainer<Explainer>
struct ExplanationLoss {
  static constexpr const char* name = Design::name;
  ExplanationOptions options = {};
  Explainer explainer = {};
  Design design = {};

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    check();
    if constexpr (requires { explainer.watch(net, run); }) explainer.watch(net, run);
  }

  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    check();
    const std::vector<Index> counted = pictures_that_count(step);
    if (counted.empty()) return Tensor<B>(Shape{1}, typename B::scalar(0));
    const std::vector<Index>& labels = step.batch.labels;
    Tensor<B> asked(Shape{static_cast<Index>(labels.size()), 1}, typename B::scalar(0));
    for (Index i : counted) asked.data()[i] = 1;
    const Var<B> score = sum(explain::scores(step.logits, labels, score_of()) * Var<B>(asked));
    Var<B> map = values<B>({step.run, score, labels, options.weights, scales() ? options.leak : 0});
    require<ShapeError>(map.rank() == 4 && map.dim(0) == asked.dim(0) && (raw || map.dim(3) == 1), name,
                        ": the explainer gave ", map.shape(), ", expected maps (", asked.dim(0), ", h, w, 1)");
    map = detail::pictures(map, counted);
    const Index h = map.dim(1), w = map.dim(2);
    const Tensor<B> masks = detail::pictures(Var<B>(step.batch.masks), counted).value();
    if (scales()) map = detail::min_max(map);
    if (options.compare == Compare::on_map) return compared(map, detail::mask_on(masks, h, w, step.run.grid(h, w)));
    if (h != masks.dim(1) || w != masks.dim(2))
      map = resize(map, masks.dim(1), masks.dim(2), step.run.grid(h, w), Grid{});
    return compared(map, masks);
  }

 private:
  static constexpr bool raw = requires { requires Design::raw; };
  static constexpr bool bounded = requires { requires Design::bounded; };
  static constexpr bool probability = requires { requires Explainer::probability; };

  [[nodiscard]] bool scales() const {
    return !raw && (options.scale == Scale::min_max || (options.scale == Scale::automatic && !probability));
  }
  [[nodiscard]] Score score_of() const {
    if constexpr (requires { Design::score; })
      if (options.score == Score::automatic) return Design::score;
    return options.score;
  }
  [[gnu::cold]] void check() const {
    require<OptionError>(options.top > 0 && options.top <= 1, name, ": top must be above 0 and at most 1, got ",
                         options.top);
    require<OptionError>(options.leak >= 0 && options.leak < 1, name, ": leak must be 0 to less than 1, got ",
                         options.leak);
    require<OptionError>(options.gate.temperature >= 0, name, ": the gate's temperature must be above 0, got ",
                         options.gate.temperature);
    require<OptionError>(!bounded || probability || scales(), name, ": needs values from 0 to 1: use Scale::min_max");
    require<OptionError>(!raw || (options.top == 1 && options.scale != Scale::min_max), name,
                         ": is made of the explainer's values as they are: it has no gate and no scale");
  }

  template <Backend B>
  [[nodiscard]] std::vector<Index> pictures_that_count(const Step<B>& step) const {
    const Batch<B>& batch = step.batch;
    const auto n = static_cast<Index>(batch.labels.size());
    std::vector<Index> out;
    require<ShapeError>(static_cast<Index>(batch.has_mask.size()) == n && (n == 0 || batch.masks.rank() == 4), name,
                        ": ", n, " labels, but masks of ", batch.masks.shape(), ", ", batch.has_mask.size(),
                        " of them given");
    for (Index i = 0; i < n; ++i) {
      const Index label = batch.labels[static_cast<std::size_t>(i)], size = batch.masks.size() / n;
      const auto* mask = batch.masks.data() + i * size;
      if (batch.has_mask[static_cast<std::size_t>(i)] == 0 || (options.only >= 0 && label != options.only)) continue;
      if constexpr (requires { explainer.speaks_for(step.run, label); })
        if (!explainer.speaks_for(step.run, label)) continue;
      if (std::any_of(mask, mask + size, [](auto v) { return v > 0; })) out.push_back(i);
    }
    return out;
  }
  template <Backend B>
  [[nodiscard]] Var<B> values(const explain::Question<B>& question) const {
    if constexpr (raw && requires { explainer.attributions(question); }) {
      return explainer.attributions(question);
    } else {
      return explainer.saliency(question);
    }
  }
  template <Backend B>
  [[nodiscard]] Var<B> compared(const Var<B>& map, const Tensor<B>& mask) const {
    const Var<B> each = design(detail::gated(map, options.top, options.gate), Var<B>(mask));
    require<ShapeError>(each.size() == map.dim(0), name, ": the design gave ", each.shape(), " for ", map.dim(0),
                        " pictures, expected a number for each");
    return mean(each);
  }
};

}  // namespace limn

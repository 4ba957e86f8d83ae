// CRAFT (Fel et al., CVPR 2023): what a layer gives for patches of a class's pictures is factorised into concepts; how
// much of each concept is at each place of a picture is a map, and how much the class score depends on a concept is its
// importance.
//   explain::Craft<"layer4"> craft;
//   craft.fit(net, pictures, 1);              // pictures that the network puts in class 1
//   auto maps = craft(net, images, classes);  // as any explainer
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "limn/explain/cam/cam_family.hpp"
#include "limn/explain/concepts/concepts.hpp"
#include "limn/explain/concepts/halton.hpp"
#include "limn/explain/concepts/patches.hpp"
#include "limn/explain/concepts/sobol.hpp"

namespace limn::explain {

/// As published: 20 concepts, and in a picture of 224 pixels patches of 64, one every 51.
struct CraftOptions {
  Index concepts = 20;       ///< of a class
  double patch = 64. / 224;  ///< the side of a patch, as a share of the picture's side
  double stride = 0.8;       ///< from one patch to the next, as a share of a patch's side
  Index design = 32;         ///< points of the Halton design by which importances are estimated (N)
  /// What of a picture's map is not above this percentile becomes 0 (the authors: 90). None: the whole map.
  std::optional<double> above_percentile = std::nullopt;
  NmfOptions nmf = {};
  Index batch = 64;  ///< pictures per pass; of passes that begin at the layer four times as many
};

namespace detail {

/// The maps (1, h, w, c) of one picture as a matrix (h w, c).
template <Backend B>
Tensor<CpuDouble> places(const Tensor<B>& activation, Index picture) {
  const Tensor<B> one = kernel::slice(activation, 0, picture, 1);
  return cast<CpuDouble>(one).reshape({one.dim(1) * one.dim(2), one.dim(3)});
}

}  // namespace detail

template <Name Layer>
struct Craft {
  static constexpr const char* name = "CRAFT";
  static constexpr bool probability = false;
  CraftOptions options = {};
  std::map<Index, Concepts> learned = {};  ///< by class

  /// Learns the concepts of a class from pictures (n, h, w, c): those that the network puts in the class. Concepts that
  /// the class had are forgotten. Error where the layer gives a negative number (it must end with a ReLU or the like),
  /// and where the class score is the same whatever the concepts do.
  template <class Net, Backend B>
  [[gnu::cold]] void fit(const Net& net, const Tensor<B>& pictures, Index of_class) {
    check();
    require<ShapeError>(pictures.rank() == 4 && pictures.size() > 0, "CRAFT: expected pictures (n, h, w, c), got ",
                        pictures.shape());
    const Tensor<CpuDouble> means = patch_means(net, pictures, of_class);
    const Index r = options.concepts, channels = means.dim(1);
    require<OptionError>(r <= std::min(means.dim(0), channels), "CRAFT: ", r, " concepts of ", means.dim(0),
                         " patches and ", channels, " channels, expected 1 to ", std::min(means.dim(0), channels));
    const Factors found = nmf(means, nndsvda(means, r), options.nmf);
    const Tensor<CpuDouble> components = detail::unit_rows(found.components);
    learned[of_class] =
        detail::by_importance({components, importances(net, pictures, of_class, components), found.rounds});
  }

  /// The sum of the concepts' maps, each times its importance. Parts: the maps of the concepts, how much of each there
  /// is at a place, the most important first. A class of which nothing was learned has an empty map.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    check();
    require(!learned.empty(), "CRAFT: no concepts were learned: call fit(net, pictures, class) first");
    const detail::Tapped<B> found = look<Net, B>(net, images, classes);
    const Index h = found.activation.dim(1), w = found.activation.dim(2);
    std::vector<Explanation> out;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const auto known = learned.find(classes[i]);
      out.push_back(known == learned.end()
                        ? Explanation{}
                        : detail::explained(known->second, detail::places(found.activation, static_cast<Index>(i)), h,
                                            w, found.grid, options.above_percentile));
    }
    return out;
  }

 private:
  void check() const {
    const CraftOptions& o = options;
    require<OptionError>(o.concepts >= 1 && o.design >= 2 && o.batch >= 1, "CRAFT: ", o.concepts, " concepts, ",
                         o.design, " points, batch ", o.batch, ": expected 1, 2 and 1 or more");
    require<OptionError>(o.patch > 0 && o.patch <= 1 && o.stride > 0, "CRAFT: patch ", o.patch, ", stride ", o.stride,
                         ": expected shares above 0, of the picture not above 1");
    const double percent = o.above_percentile.value_or(0);
    require<OptionError>(percent >= 0 && percent < 100, "CRAFT: above_percentile ", percent, ", expected 0 to 100");
  }

  /// A pass, and whether its maps can be factorised.
  template <class Net, Backend B>
  static detail::Tapped<B> look(const Net& net, const Tensor<B>& images, std::span<const Index> classes) {
    detail::Tapped<B> found = detail::look_at<Layer>(net, images, classes, false);
    (void)one_hot(found.logits, classes);  // refuses classes that are not there
    for (const auto v : found.activation.span())
      require(v >= 0, "CRAFT: ", Layer.view(), " gives ", v, ", expected 0 or more (a layer that ends with a ReLU)");
    return found;
  }

  /// The mean of the layer's map for every patch, enlarged to the size of the picture: (patches, channels).
  template <class Net, Backend B>
  Tensor<CpuDouble> patch_means(const Net& net, const Tensor<B>& pictures, Index of_class) const {
    const Patches rows(pictures.dim(1), options.patch, options.stride),
        columns(pictures.dim(2), options.patch, options.stride);
    const Index all = pictures.dim(0) * rows.count * columns.count;
    Tensor<CpuDouble> out;
    for (Index begin = 0; begin < all; begin += options.batch) {
      const Tensor<B> patches = enlarged_patches(pictures, rows, columns, begin, std::min(options.batch, all - begin));
      const std::vector<Index> classes(static_cast<std::size_t>(patches.dim(0)), of_class);
      const detail::Tapped<B> found = look<Net, B>(net, patches, classes);
      const Index channels = found.activation.dim(3), count = found.activation.dim(1) * found.activation.dim(2);
      if (out.empty()) out = Tensor<CpuDouble>(Shape{all, channels}, 0);
      for (Index i = 0; i < found.activation.size(); ++i)
        out.data()[(begin + i / (count * channels)) * channels + i % channels] +=
            static_cast<double>(found.activation.data()[i]) / static_cast<double>(count);
    }
    return out;
  }

  /// The total Sobol index of each concept: the pictures' activations are put together again from their concepts, each
  /// concept times a number from 0 to 1 at all places, and the class score is asked for. The mean over the pictures in
  /// which the score varies.
  template <class Net, Backend B>
  std::vector<double> importances(const Net& net, const Tensor<B>& pictures, Index of_class,
                                  const Tensor<CpuDouble>& components) const {
    const Index r = components.dim(0);
    const Tensor<CpuDouble> design = replicated_design(halton(options.design, 2 * r));  // (n (r + 1), r)
    std::vector<double> sum(static_cast<std::size_t>(r), 0.0);
    Index varied = 0;
    for (Index i = 0; i < pictures.dim(0); ++i) {
      const Tensor<B> picture = kernel::slice(pictures, 0, i, 1);
      const Index classes[] = {of_class};
      const Tensor<B> activation = look<Net, B>(net, picture, classes).activation;
      const Tensor<CpuDouble> weights = nmf_weights(detail::places(activation, 0), components);  // (h w, r)
      const Shape map{activation.dim(1), activation.dim(2)};
      const std::vector<double> scores =
          masked_scores<Net, B>(net, picture, weights, map, components, design, of_class);
      const std::vector<double> indices = jansen_indices(scores, options.design);
      if (std::isnan(indices.front())) continue;
      ++varied;
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += indices[k];
    }
    require(varied > 0, "CRAFT: the score of class ", of_class, " is the same whatever the concepts do");
    for (double& v : sum) v /= static_cast<double>(varied);
    return sum;
  }

  /// The class score for every row of the design: each concept of the picture's activation (h w, concepts) times its
  /// number in the row.
  template <class Net, Backend B>
  std::vector<double> masked_scores(const Net& net, const Tensor<B>& picture, const Tensor<CpuDouble>& weights,
                                    const Shape& map, const Tensor<CpuDouble>& components,
                                    const Tensor<CpuDouble>& design, Index of_class) const {
    const NoRecord no_record;
    const Index r = components.dim(0), size = weights.size(), batch = 4 * options.batch;
    std::vector<double> scores;
    for (Index begin = 0; begin < design.dim(0); begin += batch) {
      const Index count = std::min(batch, design.dim(0) - begin);
      Tensor<CpuDouble> masked(Shape{count * weights.dim(0), r});
      for (Index j = 0; j < masked.size(); ++j)
        masked.data()[j] = weights.data()[j % size] * design.data()[(begin + j / size) * r + j % r];
      const Tensor<B> changed = cast<B>(kernel::matmul(masked, false, components, false));
      Run<B> run;
      run.replace(at<Layer>(net), Var<B>(changed.reshape({count, map[0], map[1], components.dim(1)})));
      const Tensor<B> logits = run(net, Var<B>(picture)).value();
      require<ShapeError>(logits.rank() == 2 && logits.dim(0) == count, "CRAFT: ", count, " maps at ", Layer.view(),
                          " give logits ", logits.shape(), ", expected a row for each");
      for (Index k = 0; k < count; ++k)
        scores.push_back(static_cast<double>(logits.data()[k * logits.dim(1) + of_class]));
    }
    return scores;
  }
};

}  // namespace limn::explain

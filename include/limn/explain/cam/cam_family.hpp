// Relatives of Grad-CAM: other weights for the channels of a layer.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"

namespace limn::explain {

namespace detail {

/// What a layer gave in a pass, and d score / d that.
template <Backend B>
struct Tapped {
  Tensor<B> activation, gradient, logits;
  Grid grid;
};

/// A pass in which the layer is looked at; the gradient only if it is asked for.
template <Name Layer, class Net, Backend B>
Tapped<B> look_at(const Net& net, const Tensor<B>& images, std::span<const Index> classes, bool with_gradient) {
  const NoRecord no_record;
  Run<B> run;
  const std::size_t tap = run.tap(at<Layer>(net), with_gradient);
  const Var<B> logits = run(net, Var<B>(images));
  const Var<B>& activation = run.tapped(tap);
  require<ShapeError>(activation.rank() == 4, "CAM: the layer gives ", activation.shape(),
                      ", expected a map (n, h, w, c)");
  Tapped<B> out{activation.value(), {}, logits.value(), run.grid_of(tap)};
  if (with_gradient) out.gradient = grad(class_score(logits, classes), activation).value();
  return out;
}

/// relu(sum over channels of weight * activation): (n, 1, 1, c) and (n, h, w, c) -> a map per picture.
template <Backend B>
std::vector<Explanation> weighted_maps(const Tensor<B>& weight, const Tensor<B>& activation, const Grid& grid) {
  const Tensor<B> maps = relu(sum(Var<B>(weight) * Var<B>(activation), {-1})).value();
  std::vector<Explanation> out;
  for (Index i = 0; i < maps.dim(0); ++i) out.push_back({.map = map_of(maps, i), .grid = grid});
  return out;
}

}  // namespace detail

/// Grad-CAM++ (Chattopadhay et al. 2018), with g the gradient at an element: alpha = g^2 / (2 g^2 + (sum of the
/// channel) g^3 + 1e-6), 0 where g is 0; the weight of a channel is the sum of alpha relu(g).
template <Name Layer>
struct GradCamPlusPlus {
  static constexpr const char* name = "Grad-CAM++";
  static constexpr bool probability = false;

  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    using S = typename B::scalar;
    const detail::Tapped<B> found = detail::look_at<Layer>(net, images, classes, true);
    const NoRecord no_record;
    const Var<B> g = found.gradient, g2 = square(g);
    const Var<B> total = sum(Var<B>(found.activation), {1, 2});
    const Var<B> weight = g2 / (g2 * S(2) + total * (g2 * g) + S(1e-6)) * relu(g);  // 0 where g is 0
    return detail::weighted_maps(sum(weight, {1, 2}).value(), found.activation, found.grid);
  }
};

/// Score-CAM (Wang et al. 2020): a channel's weight is the softmax, over the channels, of the class score that the
/// picture has when it is multiplied by the channel, scaled to [0, 1] and laid over the picture. One pass of the
/// network per picture and channel, `batch` of them at a time.
template <Name Layer>
struct ScoreCam {
  static constexpr const char* name = "Score-CAM";
  static constexpr bool probability = false;
  Index batch = 32;

  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    using S = typename B::scalar;
    require<OptionError>(batch >= 1, "Score-CAM: batch ", batch, ", expected 1 or more");
    const detail::Tapped<B> found = detail::look_at<Layer>(net, images, classes, false);
    (void)one_hot(found.logits, classes);  // refuses classes that are not there
    const NoRecord no_record;
    const Index n = images.dim(0), h = images.dim(1), w = images.dim(2), c = images.dim(3);
    const Index channels = found.activation.dim(3);
    const Tensor<B> masks = over_pictures(found.activation, h, w);  // (n, h, w, channels)
    Tensor<B> scores(Shape{n, 1, 1, channels});
    for (Index begin = 0; begin < n * channels; begin += batch) {
      const Index count = std::min(batch, n * channels - begin);
      Tensor<B> masked(Shape{count, h, w, c});
      for (Index k = 0; k < count; ++k) {
        const Index picture = (begin + k) / channels, channel = (begin + k) % channels;
        for (Index p = 0; p < h * w; ++p) {
          const S m = masks.data()[(picture * h * w + p) * channels + channel];
          for (Index j = 0; j < c; ++j)
            masked.data()[(k * h * w + p) * c + j] = m * images.data()[(picture * h * w + p) * c + j];
        }
      }
      Run<B> run;
      const Tensor<B> logits = run(net, Var<B>(masked)).value();
      for (Index k = 0; k < count; ++k)
        scores.data()[begin + k] =
            logits.data()[k * logits.dim(1) + classes[static_cast<std::size_t>((begin + k) / channels)]];
    }
    return detail::weighted_maps(softmax(Var<B>(scores)).value(), found.activation, found.grid);
  }

 private:
  /// Every channel over the picture (bilinear, corners on corners as published), scaled to [0, 1]. A channel that is
  /// the same everywhere is 0.
  template <Backend B>
  static Tensor<B> over_pictures(const Tensor<B>& maps, Index h, Index w) {
    using S = typename B::scalar;
    const auto corners = [](Index in, Index out) {
      return Sampling{0, out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0};
    };
    Tensor<B> out = kernel::resize_bilinear(maps, h, w, corners(maps.dim(1), h), corners(maps.dim(2), w));
    const Index n = out.dim(0), channels = out.dim(3);
    for (Index i = 0; i < n * channels; ++i) {
      S* const first = out.data() + (i / channels) * h * w * channels + i % channels;
      S low = *first, high = *first;
      for (Index p = 0; p < h * w; ++p) {
        low = std::min(low, first[p * channels]);
        high = std::max(high, first[p * channels]);
      }
      for (Index p = 0; p < h * w; ++p) first[p * channels] = (first[p * channels] - low) / (high - low + S(1e-8));
    }
    return out;
  }
};

}  // namespace limn::explain

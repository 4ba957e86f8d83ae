// The ordinary layers. A layer is a plain class: its parameters, the list of its fields, what it makes of a shape, and
// a call that is a function of the input. Names and meanings are torch's; images are (n, h, w, c).
#pragma once

#include <cmath>
#include <tuple>
#include <utility>

#include "limn/nn/run.hpp"
#include "limn/nn/shapes.hpp"
#include "limn/ops/ops.hpp"

namespace limn {

/// Draws every number of a tensor uniform in +-bound.
template <Backend B>
[[gnu::noinline]] void draw_uniform(Tensor<B>& to, double bound, Random& random) {
  for (auto& v : to.span()) v = static_cast<typename B::scalar>(random.uniform(-bound, bound));
}
/// Draws every number of a tensor normal, with mean 0.
template <Backend B>
[[gnu::noinline]] void draw_normal(Tensor<B>& to, double deviation, Random& random) {
  for (auto& v : to.span()) v = static_cast<typename B::scalar>(random.normal() * deviation);
}

/// weight (out, in), bias (out); acts on the last axis, whatever stands before it.
template <Backend B, int In, int Out, bool Bias = true>
struct Linear {
  static constexpr int in_channels = In, out_channels = Out;
  static constexpr Index own_parameters = Index{Out} * In + (Bias ? Out : 0);
  Parameter<B> weight{Shape{Out, In}}, bias{Shape{Bias ? Out : 0}};
  static constexpr auto fields = [] {
    if constexpr (Bias) {
      return Fields{field<"weight">(&Linear::weight), field<"bias">(&Linear::bias)};
    } else {
      return Fields{field<"weight">(&Linear::weight)};
    }
  }();
  static constexpr Dims shape(Dims in) { return {in.height, in.width, Out, in.depth}; }

  /// Uniform in +-1/sqrt(in), as torch.nn.Linear.
  void initialise(Random& random) {
    const double bound = 1 / std::sqrt(static_cast<double>(In));
    draw_uniform(weight.value(), bound, random);
    draw_uniform(bias.value(), bound, random);
  }

  Var<B> operator()(const Var<B>& x, auto&) const {
    Var<B> y = linear(x, weight);
    if constexpr (Bias) return y + bias;
    return y;
  }
};

namespace detail {
/// The convolution of a Conv2d: programs compile only what their layers use.
template <int Groups, bool Depthwise, Backend B>
Var<B> convolution(const Var<B>& x, const Var<B>& weight, const Window& window) {
  if constexpr (Groups == 1) {
    return conv2d(x, weight, window);
  } else if constexpr (Depthwise) {
    return depthwise_conv2d(x, weight, window);
  } else {
    return grouped_conv2d(x, weight, window, Groups);
  }
}
}  // namespace detail

/// weight (out, kernel, kernel, in / groups), stored as (out, in / groups, kernel, kernel) in files; bias (out). With
/// Groups, channels are cut into groups, and each group of results sees its own group of the input; with as many groups
/// as channels the convolution is depthwise.
template <Backend B, int In, int Out, int Kernel, int Stride = 1, int Padding = 0, bool Bias = true, int Groups = 1>
struct Conv2d {
  static_assert(Groups >= 1 && In % Groups == 0 && Out % Groups == 0,
                "limn: Conv2d: the channels cannot be cut into so many groups");
  static constexpr int in_channels = In, out_channels = Out;
  static constexpr Window window = Window::square(Kernel, Stride, Padding);
  static constexpr Index own_parameters = Index{Out} * Kernel * Kernel * (In / Groups) + (Bias ? Out : 0);
  Parameter<B> weight{Shape{Out, Kernel, Kernel, In / Groups}}, bias{Shape{Bias ? Out : 0}};
  static constexpr auto fields = [] {
    if constexpr (Bias) {
      return Fields{field<"weight">(&Conv2d::weight), field<"bias">(&Conv2d::bias)};
    } else {
      return Fields{field<"weight">(&Conv2d::weight)};
    }
  }();
  static constexpr Dims shape(Dims in) { return {window.out_h(in.height), window.out_w(in.width), Out}; }

  /// Normal with variance 2 / (out * kernel^2), as torchvision's ResNet (He et al. 2015, fan-out); bias 0. Like torch's
  /// fan-out, it does not ask for groups.
  void initialise(Random& random) {
    const double deviation = std::sqrt(2.0 / (static_cast<double>(Out) * Kernel * Kernel));
    draw_normal(weight.value(), deviation, random);
    bias.value().fill(0);
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    constexpr bool depthwise = Groups == In && Groups == Out;
    Var<B> y = detail::convolution<Groups, depthwise>(x, weight, window);
    pooled(x, run);
    if constexpr (Bias) return y + bias;
    return y;
  }
  /// See conv_norm_relu.
  Var<B> scaled_relu(const Var<B>& x, const Tensor<B>& scale_shift, const Var<B>& add, auto& run) const {
    Var<B> y = conv2d_scaled_relu(x, weight, window, scale_shift, add, run.packed);
    pooled(x, run);
    return y;
  }

 private:
  static void pooled(const Var<B>& x, auto& run) {
    if constexpr (Kernel != 2 * Padding + 1 || Stride != 1) run.pooled(x, window);
  }
};

namespace detail {
/// The variance that `count` values stand for (divided by count - 1), from their own (divided by count).
template <Backend B>
[[nodiscard, gnu::noinline]] Tensor<B> unbiased(const Tensor<B>& variance, Index count) {
  using S = typename B::scalar;
  Tensor<B> out = variance.clone();  // the tape still reads the biased one
  for (auto& v : out.span()) v *= static_cast<S>(count) / static_cast<S>(count - 1);
  return out;
}
}  // namespace detail

/// Batch normalisation of (..., c): by the batch in training, by the running statistics otherwise. momentum .1, eps
/// 1e-5. Frozen (weight and bias, see Parameter::set_trainable), it is in training what it is otherwise, and its
/// statistics stay.
template <Backend B, int C>
struct BatchNorm2d {
  static constexpr int in_channels = C, out_channels = C;
  static constexpr Index own_parameters = Index{2} * C;
  Parameter<B> weight{Shape{C}}, bias{Shape{C}};
  Buffer<B> running_mean{Shape{C}}, running_var{Shape{C}, 1};
  Counter num_batches_tracked{Shape{1}};
  static constexpr auto fields =
      Fields{field<"weight">(&BatchNorm2d::weight), field<"bias">(&BatchNorm2d::bias),
             field<"running_mean">(&BatchNorm2d::running_mean), field<"running_var">(&BatchNorm2d::running_var),
             field<"num_batches_tracked">(&BatchNorm2d::num_batches_tracked)};
  static constexpr Dims shape(Dims in) { return in; }

  void initialise(Random&) {
    weight.value().fill(1);
    bias.value().fill(0);
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    if (!run.training || frozen()) return batch_norm(x, weight, bias, running_mean.value(), running_var.value(), eps);
    return keep(batch_norm(x, weight, bias, eps), x, run);
  }
  [[nodiscard]] bool frozen() const { return !weight.trainable() && !bias.trainable(); }
  /// The scale and the shift of every channel in evaluation: two rows of C numbers.
  [[nodiscard]] Tensor<B> scale_and_shift() const {
    return kernel::scale_and_shift(running_mean.value(), running_var.value(), weight.value(), bias.value(), eps);
  }
  /// relu(the normalised x + add); see norm_relu.
  Var<B> relu(const Var<B>& x, const Var<B>& add, auto& run) const {
    return keep(batch_norm_relu(x, weight, bias, add, eps), x, run);
  }

 private:
  static constexpr auto eps = typename B::scalar(1e-5), momentum = typename B::scalar(0.1);

  /// Collects the statistics of the batch x.
  Var<B> keep(BatchNormed<B> out, const Var<B>& x, auto& run) const {
    run.update(running_mean, out.mean, momentum);
    run.update(running_var, detail::unbiased(out.variance, x.size() / C), momentum);
    run.count(num_batches_tracked);
    return std::move(out.y);
  }
};

/// relu(run(norm, x) + add), in one operation where nobody looks between; an empty `add` is left out.
template <Backend B, int C>
Var<B> norm_relu(const BatchNorm2d<B, C>& norm, const Var<B>& x, auto& run, const Var<B>& add = {}) {
  if (run.training && !norm.frozen() && !run.observed()) return run.as(norm, x, [&] { return norm.relu(x, add, run); });
  const Var<B> y = run(norm, x);
  return relu(add.empty() ? y : y + add);
}

/// relu(run(norm, run(conv, x)) + add), in prediction in one operation where nobody looks between.
template <Backend B, int In, int C, int Kernel, int Stride, int Padding>
Var<B> conv_norm_relu(const Conv2d<B, In, C, Kernel, Stride, Padding, false>& conv, const BatchNorm2d<B, C>& norm,
                      const Var<B>& x, auto& run, const Var<B>& add = {}) {
  if (run.training || is_recording() || run.observed()) return norm_relu(norm, run(conv, x), run, add);
  return run.as(conv, x, [&] { return conv.scaled_relu(x, norm.scale_and_shift(), add, run); });
}

template <Backend B>
struct Relu {
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return in; }
  Var<B> operator()(const Var<B>& x, auto&) const { return relu(x); }
};

/// Gives what it gets.
template <Backend B>
struct Identity {
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return in; }
  Var<B> operator()(const Var<B>& x, auto&) const { return x; }
};

template <Backend B, int Kernel, int Stride = Kernel, int Padding = 0>
struct MaxPool2d {
  static constexpr Window window = Window::square(Kernel, Stride, Padding);
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return {window.out_h(in.height), window.out_w(in.width), in.channels}; }
  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y = max_pool2d(x, window);
    run.pooled(x, window);
    return y;
  }
};

/// Mean of every window; padding counts as zeros.
template <Backend B, int Kernel, int Stride = Kernel, int Padding = 0>
struct AvgPool2d {
  static constexpr Window window = Window::square(Kernel, Stride, Padding);
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return {window.out_h(in.height), window.out_w(in.width), in.channels}; }
  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y = avg_pool2d(x, window);
    run.pooled(x, window);
    return y;
  }
};

/// (n, h, w, c) -> (n, 1, 1, c)
template <Backend B>
struct GlobalAverage {
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return {1, 1, in.channels}; }
  Var<B> operator()(const Var<B>& x, auto&) const { return global_average(x); }
};

/// (n, ..., c) -> (n, everything else)
template <Backend B>
struct Flatten {
  static constexpr int out_channels = any_channels;  // depends on the size of the image
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return {1, 1, in.depth * in.height * in.width * in.channels}; }
  Var<B> operator()(const Var<B>& x, auto&) const { return flatten(x); }
};

}  // namespace limn

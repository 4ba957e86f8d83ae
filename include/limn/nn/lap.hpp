// Local Attention Perception (Distinguishing Clues, section 2.2): a head that says for every element of a feature map
// how likely it belongs to each clue, and LAP-Pool, which lets these maps decide what a window passes on.
#pragma once

#include <algorithm>

#include "limn/nn/layers.hpp"

namespace limn {

/// Feature vectors (..., c) -> logits (..., clues), element by element: linear, ReLU, linear (Eq. 3).
template <Backend B, int C, int Clues, int Hidden = std::max(C / 8, 8)>
struct LapHead {
  static constexpr int in_channels = C, out_channels = Clues;
  Linear<B, C, Hidden> hidden;
  Linear<B, Hidden, Clues> out;
  static constexpr auto fields = Fields{field<"hidden">(&LapHead::hidden), field<"out">(&LapHead::out)};
  static constexpr Dims shape(Dims in) { return {in.height, in.width, Clues, in.depth}; }

  Var<B> operator()(const Var<B>& x, auto& run) const { return run(out, relu(run(hidden, x))); }
};

namespace lap {
/// How the maps of all clues become one score per element, by which LAP-Pool weighs (Eq. 7).
enum class Aggregate {
  sum,
  maximum,
  learned  ///< a 1x1 convolution of the maps without bias, which would change no weight; it begins as the sum
};
}  // namespace lap

namespace detail {
/// f of a signal as a picture of one row.
template <Backend B, class F>
Var<B> as_picture(const char* what, const Var<B>& x, const F& f) {
  const bool row = x.rank() == 4 && x.dim(1) == 1;
  require<ShapeError>(row || x.rank() == 3, what, ": expected a signal (n, l, c) or (n, 1, l, c), got ", x.shape());
  if (row) return f(x);
  const Var<B> y = f(reshape(x, {x.dim(0), 1, x.dim(1), x.dim(2)}));
  return reshape(y, {y.dim(0), y.dim(2), y.dim(3)});
}

/// Stands where a layer has no such part.
struct Nothing {
  static constexpr auto fields = Fields{};
};
}  // namespace detail

/// LAP-Pool over windows of Kernel x Kernel; Kernel = 0 pools the whole map. The scores may come from another feature
/// map of the same size (Scored channels) than the one that is pooled, and may pool several maps: the convolution and
/// the shortcut of a block share one LAP. Of signals and volumes: LapPool1d (nn/signal.hpp), LapPool3d (nn/volume.hpp).
template <Backend B, int Scored, auto Clues, int Kernel, int Stride = 1, int Padding = 0,
          lap::Aggregate Scores = lap::Aggregate::sum, int Axes = 2>
struct LapPool {
  static_assert(Axes >= 1 && Axes <= 3, "limn: LapPool: signals, pictures and volumes have 1, 2 and 3 axes");
  static_assert(lap::check_complete<Clues>());
  static constexpr int in_channels = Scored, out_channels = Scored;
  static constexpr auto clues = Clues;
  static constexpr bool global = Kernel == 0, learned = Scores == lap::Aggregate::learned;

  LapHead<B, Scored, Clues.clues> head;
  LapHead<B, Scored, Clues.clues> discriminative;  // the twin that helps to choose elements in training (appendix C.5)
  static constexpr Index own_parameters = 1;
  Parameter<B> alpha{Shape{1}};
  [[no_unique_address]] std::conditional_t<learned, Linear<B, Clues.clues, 1, false>, detail::Nothing> aggregate;
  static constexpr auto fields = [] {
    if constexpr (learned) {
      return Fields{field<"head">(&LapPool::head), field<"discriminative">(&LapPool::discriminative),
                    field<"alpha">(&LapPool::alpha), field<"aggregate">(&LapPool::aggregate)};
    } else {
      return Fields{field<"head">(&LapPool::head), field<"discriminative">(&LapPool::discriminative),
                    field<"alpha">(&LapPool::alpha)};
    }
  }();
  static constexpr Dims shape(Dims in) {
    if constexpr (global) return {1, 1, in.channels};
    constexpr auto win = fixed_window();
    if constexpr (Axes == 3) return {win.out_h(in.height), win.out_w(in.width), in.channels, win.out_d(in.depth)};
    return {win.out_h(in.height), win.out_w(in.width), in.channels};
  }

  /// The head begins with the same importance everywhere, so that at first its twin alone chooses the elements: a head
  /// that begins with an opinion often settles on a wrong place before the features are learned (docs/lap.md).
  void initialise(Random&) {
    alpha.value().fill(1);
    head.out.weight.value().fill(0);
    head.out.bias.value().fill(0);
    if constexpr (learned) aggregate.weight.value().fill(1);
  }

  /// The scores Q (..., 1): the aggregate over clues of their importance. Leaves the maps in run.laps.
  Var<B> scores(const Var<B>& x, auto& run) const {
    const Var<B> logits = run(head, x);
    run.leave(x, {logits, run.training ? run(discriminative, x.detach()) : Var<B>(), clues.table(), window(x)});
    if constexpr (learned) {
      return run(aggregate, sigmoid(logits));
    } else if constexpr (Scores == lap::Aggregate::maximum) {
      return max(sigmoid(logits));
    } else {
      return sum(sigmoid(logits), {-1});
    }
  }

  /// Pools a feature map by scores of the same size.
  Var<B> pool(const Var<B>& x, const Var<B>& q) const {
    if constexpr (Axes == 3) {
      return lap_pool3d(x, q, alpha, window(x));
    } else {
      return lap_pool(x, q, alpha, window(x));
    }
  }

  /// pool(run(conv, x), q), in one operation where nobody looks between.
  template <int In, int Out, int Size>
  Var<B> pool_conv(const Conv2d<B, In, Out, Size, 1, Size / 2, false>& conv, const Var<B>& x, const Var<B>& q,
                   auto& run) const {
    if (run.observed() || limn::detail::recording().keep) return pool(run(conv, x), q);
    return run.as(conv, x, [&] { return lap_pool_conv2d(x, conv.weight, conv.window, q, alpha, window(x)); });
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    if constexpr (Axes == 1) {
      return detail::as_picture("LapPool1d", x, [&](const Var<B>& row) { return pool(row, scores(row, run)); });
    } else {
      return pool(x, scores(x, run));
    }
  }

 private:
  static constexpr auto fixed_window() {
    if constexpr (Axes == 1) {
      return Window{1, Kernel, 1, Stride, 0, Padding};
    } else if constexpr (Axes == 2) {
      return Window::square(Kernel, Stride, Padding);
    } else {
      return Window3d::cube(Kernel, Stride, Padding);
    }
  }
  static auto window(const Var<B>& x) {
    if constexpr (!global) {
      return fixed_window();
    } else if constexpr (Axes == 3) {
      return Window3d{{x.dim(2), x.dim(3)}, x.dim(1)};
    } else {
      return Window{x.dim(1), x.dim(2)};
    }
  }
};

}  // namespace limn

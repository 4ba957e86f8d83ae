// LAPs on the feature maps of a network that is trained already and stays as it is (Distinguishing Clues, Fig. 2 d):
//   auto laps = lap::attach<"layer3", "layer4">(net, lap::one_vs_others<1000>());
//   train::fit(laps, LapSupervision{}, Adam{}, train, val, {.epochs = 1});   // trains the heads alone
//   explain::Lap{}(laps, images, classes);
#pragma once

#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "limn/nn/lap.hpp"

namespace limn {

/// A LAP beside a network: the head and its twin (appendix C.5).
template <Backend B, int C, int Clues>
struct LapUnit {
  LapHead<B, C, Clues> head, discriminative;
  static constexpr auto fields =
      Fields{field<"head">(&LapUnit::head), field<"discriminative">(&LapUnit::discriminative)};

  /// Without an opinion, as that of a LapPool.
  void initialise(Random&) {
    head.out.weight.value().fill(0);
    head.out.bias.value().fill(0);
  }
};

namespace detail {

/// The unit at a layer. A base class, as in Fields.
template <Name Layer, class Unit>
struct NamedUnit {
  Unit unit;
};
template <class... N>
struct Units : N... {};
template <Name... Layers, class... Unit>
struct Units<NamedUnit<Layers, Unit>...> : NamedUnit<Layers, Unit>... {
  static constexpr auto fields = Fields{field<Layers>(&NamedUnit<Layers, Unit>::unit)...};
};

template <class Layer>
constexpr int channels_given() {
  constexpr int channels = out_channels_of<Layer>(any_channels);
  static_assert(channels != any_channels, "limn: lap::attach: this layer does not say how many channels it gives");
  return channels;
}

/// The window of a pool that leads from a map on grid `fine` to one on grid `deep`, along one axis: Algorithm 1 asks
/// which elements of the finer map a deeper one stands for. A kernel of 0 where no pool does.
struct WindowAxis {
  Index kernel = 0, stride = 1, pad = 0;
};
inline WindowAxis window_between(const GridAxis& fine, const GridAxis& deep) {
  const double step = deep.step / fine.step, middle = (deep.first - fine.first) / fine.step;  // of the first window
  const auto stride = static_cast<Index>(std::lround(step));
  for (const Index kernel : {stride, stride + 1}) {  // the smallest that leaves no element out and has such a middle
    const double pad = static_cast<double>(kernel - 1) / 2 - middle;
    if (stride >= 1 && std::abs(step - static_cast<double>(stride)) < 1e-6 && pad > -1e-6 &&
        std::abs(pad - std::round(pad)) < 1e-6 && std::lround(pad) < kernel)
      return {kernel, stride, std::lround(pad)};
  }
  return {};
}

}  // namespace detail

namespace lap {

/// A network with LAPs beside it. What it gives are the network's outputs, to the bit; the LAPs' maps are left in the
/// pass. It owns the heads alone (`laps.layer3.head`): they are what optimisers, files and copies see. The network must
/// live, where it is, as long as this. It runs as in prediction, in training too, and nothing of it is recorded then.
/// Paths that are not its own are the network's, so explainers at a named layer work as on the network.
template <class Net, class System, Name... Layers>
class Attached {
  using B = backend_of<Net>;
  template <Name Layer>
  using At = std::remove_cvref_t<decltype(limn::at<Layer>(std::declval<const Net&>()))>;

 public:
  using Around = Net;
  static constexpr int in_channels = limn::detail::in_channels_of<Net>(),
                       out_channels = limn::detail::out_channels_of<Net>(any_channels);
  static constexpr bool outputs_are_fixed = true;  ///< training changes no output
  static_assert(out_channels == any_channels || out_channels == System::classes,
                "limn: the clue system is for another number of classes");

  limn::detail::Units<
      limn::detail::NamedUnit<Layers, LapUnit<B, limn::detail::channels_given<At<Layers>>(), System::clues>>...>
      laps;
  static constexpr auto fields = Fields{field<"laps">(&Attached::laps)};

  Attached(const Net& net, const System& clues, Seed seed) : net_(&net), clues_(clues) {
    require_complete(clues);
    initialise(*this, seed);
  }

  [[nodiscard]] const Net& around() const { return *net_; }
  [[nodiscard]] const System& clues() const { return clues_; }
  /// The heads at a layer: laps.unit<"layer4.0">().head.
  template <Name Layer>
  [[nodiscard]] auto& unit() {
    return laps.*pointer_to<Layer>(laps.fields);
  }
  template <Name Layer>
  [[nodiscard]] const auto& unit() const {
    return laps.*pointer_to<Layer>(laps.fields);
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    const std::size_t taps[] = {run.listen(limn::at<Layers>(*net_))...}, before = run.laps.size();
    Var<B> y = as_in_prediction(x, run);
    run.laps.erase(run.laps.begin() + static_cast<Index>(before), run.laps.end());  // the network's own, if any
    std::size_t i = 0;
    (look(unit<Layers>(), Layers.view(), run.tapped(taps[i++]), run), ...);
    for (std::size_t l = before; l + 1 < run.laps.size(); ++l) {
      const Grid fine = run.grid(run.laps[l].logits.shape()), deep = run.grid(run.laps[l + 1].logits.shape());
      const auto rows = limn::detail::window_between(fine.rows, deep.rows),
                 columns = limn::detail::window_between(fine.columns, deep.columns),
                 slices = limn::detail::window_between(fine.slices, deep.slices);
      if (rows.kernel > 0 && columns.kernel > 0 && slices.kernel > 0)
        run.laps[l].window = {{rows.kernel, columns.kernel, rows.stride, columns.stride, rows.pad, columns.pad},
                              slices.kernel,
                              slices.stride,
                              slices.pad};
    }
    return y;
  }

 private:
  Var<B> as_in_prediction(const Var<B>& x, auto& run) const {
    const bool training = std::exchange(run.training, false);
    std::optional<NoRecord> off;
    if (training) off.emplace();
    try {
      Var<B> y = run(*net_, x);
      run.training = training;
      return y;
    } catch (Error& error) {
      error.layer = nullptr;  // its path is complete: the network is no part of this
      run.training = training;
      throw;
    }
  }
  void look(const auto& unit, std::string_view layer, const Var<B>& map, auto& run) const {
    require(!map.empty(), "lap::attach: the pass did not call ", layer);
    require<ShapeError>(map.rank() == 4 || map.rank() == 5, "lap::attach: ", layer, " gives ", map.shape(),
                        ", expected a map (n, h, w, channels) or (n, d, h, w, channels)");
    run.laps.push_back(
        {run(unit.head, map), run.training ? run(unit.discriminative, map.detach()) : Var<B>(), clues_.table()});
  }

  const Net* net_;
  System clues_;
};

/// LAPs on what the layers at these paths give, named from shallow to deep. A wrong name does not compile. The heads
/// begin without an opinion. Throws OptionError where the clues are not complete, naming the class.
template <Name... Layers, class Net, class System>
[[nodiscard]] Attached<Net, System, Layers...> attach(const Net& net, const System& clues, Seed seed = {}) {
  static_assert(sizeof...(Layers) > 0, "limn: lap::attach: name a layer: attach<\"layer4\">(net, clues)");
  return {net, clues, seed};
}
template <Name... Layers, class Net, class System>
void attach(const Net&& net, const System& clues, Seed seed = {}) = delete;  // the network must live

}  // namespace lap

}  // namespace limn

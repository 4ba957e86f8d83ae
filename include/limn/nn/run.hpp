// Run: one forward pass. A layer calls its children by run(child, x), never directly; so any layer can be tapped by an
// explainer, errors know where they arose, and what a pass produces besides its output (LAP maps, new running
// statistics) is collected here and not in the layers, which stay constant: a network can run in several threads.
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/autograd/checkpoint.hpp"
#include "limn/core/grid.hpp"
#include "limn/core/random.hpp"
#include "limn/nn/address.hpp"
#include "limn/nn/clues.hpp"
#include "limn/ops/conv.hpp"

namespace limn {

/// What a LAP said in a pass: one map per clue.
template <Backend B>
struct LapOutput {
  Var<B> logits;          ///< (n, h, w, clues) or (n, d, h, w, clues); the importance is sigmoid(logits)
  Var<B> discriminative;  ///< the twin scorer's logits, same shape; empty outside training
  ClueTable clues;
  Window3d window = {};  ///< of the pool that the map steers
};

template <Backend B>
class Run {
  /// A layer without its type.
  struct Child {
    void* layer;
    const detail::MemberType* type;
    Var<B> (*forward)(const void* layer, const Var<B>& x, Run& run);
    Var<B> operator()(const Var<B>& x, Run& run) const {
      return run.call(layer, *type, x, [&] { return forward(layer, x, run); });
    }
  };

 public:
  /// Batch statistics, discriminative scorers: what only training needs.
  bool training = false;
  /// Dropout drops outside training too (Monte Carlo dropout, Gal and Ghahramani 2016).
  bool dropping = false;
  /// Stop at the first layer whose output is not finite.
  bool check_finite = false;
  /// For many predictions with one network: keeps the packed weights between passes. They must not change while it
  /// lives.
  PackedWeights<B>* packed = nullptr;
  /// Parts of the network are computed again in the backward pass instead of keeping what they compute on the way: less
  /// memory, the same bits, a forward pass more. Parts are the layers of a Sequential, the beginning of a ResNet, and
  /// what else a layer calls by part() or section(). The network must live, unchanged, until the gradients are there;
  /// run.laps[i] can then not be asked for a gradient of the network's output. Has no effect in a pass of which
  /// something is tapped or watched: that must be on the tape.
  bool checkpoint = false;
  /// What layers draw from in training, such as dropout. Passes with the same seed draw the same.
  Seed seed = {};
  /// The LAPs of the pass, from shallow to deep.
  std::vector<LapOutput<B>> laps;

  /// Calls a layer. All calls of children go through here.
  template <class L>
  Var<B> operator()(const L& layer, const Var<B>& x) {
    constexpr bool callable = is_layer<L>;
    static_assert(callable, "limn: a layer is called as Var<B> operator()(Var<B> x, auto& run) const");
    if constexpr (callable) {
      return call(detail::address_of(layer), detail::TypeOf<L>::value, x, [&] { return Var<B>(layer(x, *this)); });
    }
    return x;  // so that the message above stays the only one
  }
  /// Calls a layer of two inputs.
  template <class L>
  Var<B> operator()(const L& layer, const Var<B>& x, const Var<B>& y) {
    constexpr bool callable = requires(Run & run) {
      { layer(x, y, run) } -> std::convertible_to<Var<B>>;
    };
    static_assert(callable, "limn: a layer of two inputs is called as Var<B> operator()(x, y, auto& run) const");
    if constexpr (callable) {
      return call(detail::address_of(layer), detail::TypeOf<L>::value, x, [&] { return Var<B>(layer(x, y, *this)); });
    }
    return x;  // so that the message above stays the only one
  }
  /// A call of the layer that is computed by f(), for layers that are computed together.
  template <class L, class F>
  Var<B> as(const L& layer, const Var<B>& x, const F& f) {
    if (!taps_.empty()) require_unheard(detail::address_of(layer), type_id<L>());
    return call(detail::address_of(layer), detail::TypeOf<L>::value, x, f);
  }

  /// For what is computed from a pass afterwards, such as a term of a loss: the output of the layer at this path will
  /// be needed. It is found again by watched(path), and is a variable also behind frozen layers. A wrong path does not
  /// compile. Asking twice is asking once.
  template <Name Path, class Net>
  void watch(const Net& net) {
    const auto& layer = at<Path>(net);
    if (!watches(&layer, Path.view())) taps_[tap(layer)].path = Path.view();
  }
  /// The same as watch(), and no bit of the pass differs; for layers that listen() takes.
  template <Name Path, class Net>
  void listen(const Net& net) {
    const auto& layer = at<Path>(net);
    if (!watches(&layer, Path.view())) taps_[listen(layer)].path = Path.view();
  }
  /// Gradients with respect to the pictures will be needed: input() makes them a variable.
  void watch_input() { watches_input_ = true; }
  /// The pictures as the network is to get them: run(net, run.input(images)).
  [[nodiscard]] Var<B> input(const Tensor<B>& images) {
    input_ = watches_input_ ? leaf(images) : Var<B>(images);
    return input_;
  }
  /// What the layer gave. Throws Error if nobody asked for it before the pass, or if the layer was not called.
  [[nodiscard]] const Var<B>& watched(std::string_view path) const {
    const Tap* found = nullptr;
    for (const Tap& tap : taps_)
      if (tap.path == path) found = &tap;
    require(found != nullptr, "the pass was not asked to watch ", std::string(path),
            " (loss.watch(net, run) before it)");
    require(!found->value.empty(), "the pass did not call ", std::string(path), ", which is watched");
    return found->value;
  }
  /// What input() gave. Throws Error unless it is a variable.
  [[nodiscard]] const Var<B>& watched_input() const {
    require(input_.requires_grad(),
            "the pictures of the pass are no variable (loss.watch(net, run) and run.input(images) before it)");
    return input_;
  }
  /// Something of the pass is tapped or watched.
  [[nodiscard]] bool watches() const { return watches_input_ || !taps_.empty(); }

  /// Somebody looks at what single layers give, so none may be computed together.
  [[nodiscard]] bool observed() const { return check_finite || observing_taps_ > 0; }

  /// Calls a layer that may be computed again (see `checkpoint`).
  template <class L>
  Var<B> part(const L& layer, const Var<B>& x) {
    constexpr bool callable = is_layer<L>;
    static_assert(callable, "limn: a layer is called as Var<B> operator()(Var<B> x, auto& run) const");
    if constexpr (callable) {
      return call_part(Child{detail::address_of(layer), &detail::TypeOf<L>::value, forward<L>}, x);
    }
    return x;
  }
  /// The same for several layers: f(x, run) calls them. f is kept, so it captures by value.
  [[gnu::cold, gnu::noinline]] Var<B> section(const Var<B>& x, OwnedFunction<Var<B>(const Var<B>& x, Run& run)> f) {
    begin(x);
    has_parts_ = true;
    if (!forgets()) return f(x, *this);
    const auto node = detail::new_node<B>("checkpoint", Shape{});
    Run before;  // what the layers may read; what they leave is left only once
    before.begin_like(*this);
    std::vector<Var<B>> outputs;
    {
      const Inside inside{checkpoint};
      const Var<B> y = f(x, *this);
      outputs = maps_since(before.laps.size());
      outputs.push_back(y);
    }
    const std::size_t first = before.laps.size();
    detail::forget<B>(node, outputs, [x, first, f = std::move(f), before = std::move(before)] {
      Run run;
      run.begin_like(before);
      const Var<B> y = f(x, run);
      std::vector<Var<B>> again = run.maps_since(first);
      again.push_back(y);
      return again;
    });
    for (std::size_t i = first; i < laps.size(); ++i) {
      laps[i].logits = outputs[2 * (i - first)];
      laps[i].discriminative = outputs[2 * (i - first) + 1];
    }
    return outputs.back();
  }
  /// The pass met something that may be computed again.
  [[nodiscard]] bool has_parts() const { return has_parts_; }

  /// Asks for the output of a part of the network. With `cut` the part's output becomes a variable of its own and
  /// recording begins there: gradients with respect to it cost nothing before it. Returns the number of the tap.
  template <class L>
  std::size_t tap(const L& layer, bool cut = false) {
    ++observing_taps_;
    return listen(layer, cut);
  }
  /// The same, and no bit of the pass differs: layers are still computed together. For layers that are not themselves
  /// computed together with others, such as blocks and sections; Error where one is.
  template <class L>
  std::size_t listen(const L& layer, bool cut = false) {
    taps_.push_back({&layer, type_id<L>(), cut, {}, {}, {}, {}});
    return taps_.size() - 1;
  }
  /// A tap that also changes the pass: the layer gives this in place of what it computes, so that the rest of the
  /// network can be asked about activations that no picture has. One picture can have many of them at once: (1, h, w,
  /// c) goes in, and (n, ...) replaces the layer's output. What comes to the rest on a way around the layer is then
  /// still that of the one picture, and fits where the operations broadcast, as sums do; ShapeError where they do not.
  template <class L>
  std::size_t replace(const L& layer, Var<B> value) {
    const std::size_t i = tap(layer);
    taps_[i].replacement = std::move(value);
    return i;
  }
  /// What tap i got. Empty if the part was never called.
  [[nodiscard]] const Var<B>& tapped(std::size_t i) const { return taps_.at(i).value; }

  /// Where the elements of what tap i got lie in the picture.
  [[nodiscard]] const Grid& grid_of(std::size_t i) const { return taps_.at(i).grid; }

  /// Where the elements of a map of this size lie in the picture; maps of one size are taken to lie alike, as the last
  /// one does. Where no layer said how the size came about, they share the picture equally.
  [[nodiscard]] Grid grid(Index h, Index w) const { return grid(Extent{1, h, w}); }
  /// The same of a map of shape (n, h, w, c) or (n, d, h, w, c).
  [[nodiscard]] Grid grid(const Shape& map) const { return grid(Extent::of(map)); }
  /// For layers that change the size of a map: x is read in these windows.
  void pooled(const Var<B>& x, const Window& window) { pooled(x, Window3d{window}); }
  void pooled(const Var<B>& x, const Window3d& window) {
    begin(x);
    const Extent in = Extent::of(x.shape());
    const Extent out{window.out_d(in.d), window.out_h(in.h), window.out_w(in.w)};
    const Grid found = grid(in).pooled(window);
    for (Place& place : places_)
      if (place.extent == out) {
        if (&place != &places_.front()) place.grid = found;
        return;
      }
    places_.push_back({out, found});
  }

  /// A LAP of the feature map x that steers a pool of its window.
  [[gnu::noinline]] void leave(const Var<B>& x, LapOutput<B> lap) {
    pooled(x, lap.window);
    laps.push_back(std::move(lap));
  }

  /// A stream for the next layer that draws.
  [[nodiscard]] Random random() { return Random(seed, "draw", draws_++); }
  /// A layer has drawn.
  [[nodiscard]] bool drew() const { return draws_ > 0; }

  /// A running statistic moves to (1 - share) old + share fresh when the pass is committed.
  [[gnu::noinline]] void update(const Buffer<B>& buffer, Tensor<B> fresh, typename B::scalar share) {
    updates_.push_back({buffer.value(), std::move(fresh), share});
  }
  [[gnu::noinline]] void count(const Counter& counter) { counts_.push_back(counter.value()); }

  /// Writes the collected statistics into the layers' buffers: once per training step, after the update.
  void commit() {
    for (auto& [buffer, fresh, share] : updates_)
      for (Index i = 0; i < buffer.size(); ++i)
        buffer.data()[i] = (1 - share) * buffer.data()[i] + share * fresh.data()[i];
    for (auto& counter : counts_) ++counter.data()[0];
    updates_.clear();
    counts_.clear();
  }

 private:
  [[nodiscard]] bool watches(const void* layer, std::string_view path) const {
    for (const Tap& tap : taps_)
      if (tap.path == path && tap.layer == layer) return true;
    return false;
  }

  template <class L>
  static constexpr bool is_layer = requires(const L& layer, const Var<B>& x, Run& run) {
    { layer(x, run) } -> std::convertible_to<Var<B>>;
  };

  template <class L>
  static Var<B> forward(const void* layer, const Var<B>& x, Run& run) {
    return Var<B>((*static_cast<const L*>(layer))(x, run));
  }
  [[gnu::noinline]] Var<B> call_part(const Child& child, const Var<B>& x) {
    has_parts_ = true;
    return forgets() ? section(x, child) : child(x, *this);
  }
  /// Parts inside a part are no parts.
  struct Inside {
    bool& on;
    explicit Inside(bool& checkpoint) : on(checkpoint) { on = false; }
    ~Inside() { on = true; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
  };
  /// For layers it is the same pass.
  [[gnu::cold]] void begin_like(const Run& other) {
    training = other.training;
    dropping = other.dropping;
    check_finite = other.check_finite;
    seed = other.seed;
    draws_ = other.draws_;
    for (const LapOutput<B>& lap : other.laps) laps.push_back(LapOutput<B>(lap));
    for (const Place& place : other.places_) places_.push_back(Place(place));
  }
  /// Logits and discriminative logits of the LAPs from number `first` on.
  [[nodiscard, gnu::cold]] std::vector<Var<B>> maps_since(std::size_t first) const {
    std::vector<Var<B>> out;
    for (std::size_t i = first; i < laps.size(); ++i) {
      out.push_back(laps[i].logits);
      out.push_back(laps[i].discriminative);
    }
    return out;
  }
  /// What is tapped or watched must be on the tape.
  [[nodiscard]] bool forgets() const { return checkpoint && detail::may_forget() && !watches(); }

  /// A call without the type of the layer, compiled once.
  [[gnu::noinline]] Var<B> call(void* layer, const detail::MemberType& type, const Var<B>& x,
                                const FunctionRef<Var<B>()>& forward) {
    begin(x);
    try {
      Var<B> y = forward();
      if (check_finite) require_finite(y);
      if (!taps_.empty()) y = tapped(layer, type.id, std::move(y));
      return y;
    } catch (Error& error) {
      if (error.layer != nullptr)
        error.came_through(detail::path_to({"", layer, &type}, error.layer, error.layer_type));
      error.layer = layer;
      error.layer_type = type.id;
      throw;
    }
  }

  /// The size of a map; a picture has a depth of 1.
  struct Extent {
    Index d, h, w;
    static Extent of(const Shape& map) {
      return {map.rank() == 5 ? map[1] : 1, map[map.rank() - 3], map[map.rank() - 2]};
    }
    friend bool operator==(const Extent&, const Extent&) = default;
  };
  struct Place {
    Extent extent;
    Grid grid;
  };
  [[nodiscard]] Grid grid(const Extent& map) const {
    for (const Place& place : places_)
      if (place.extent == map) return place.grid;
    const Extent picture = places_.empty() ? Extent{1, 1, 1} : places_.front().extent;
    return {GridAxis::covering(picture.h, map.h), GridAxis::covering(picture.w, map.w),
            GridAxis::covering(picture.d, map.d)};
  }
  struct Tap {
    const void* layer;
    TypeId type;
    bool cut;
    Var<B> value;
    std::string_view path;  ///< a template argument; empty where it was tapped without
    Var<B> replacement;     ///< empty: the layer gives what it computes
    Grid grid = {};         ///< of the value, if it is a map
  };
  struct Update {
    Tensor<B> buffer, fresh;
    typename B::scalar share;
  };

  /// The first map of a pass is the picture or the volume.
  void begin(const Var<B>& x) {
    if (places_.empty() && (x.rank() == 4 || x.rank() == 5)) places_.push_back({Extent::of(x.shape()), {}});
  }

  Var<B> tapped(const void* layer, TypeId type, Var<B> y) {
    for (Tap& tap : taps_) {
      if (tap.layer != layer || tap.type != type) continue;
      if (!tap.replacement.empty()) y = tap.replacement;
      if (tap.cut) detail::recording().on = true;  // the caller of a pass with cuts holds a NoRecord, which restores it
      const bool frozen = !tap.path.empty() && is_recording() && !y.requires_grad();
      if (tap.cut || frozen) y = leaf(y.value());
      tap.value = y;
      if (y.rank() == 4 || y.rank() == 5) tap.grid = grid(y.shape());
    }
    return y;
  }

  [[gnu::cold]] void require_unheard(const void* layer, TypeId type) const {
    for (const Tap& tap : taps_)
      require(tap.layer != layer || tap.type != type,
              "this layer is computed together with others, and what it gives alone is not known: listen to the block "
              "that it is in");
  }

  static void require_finite(const Var<B>& y) {
    for (Index i = 0; i < y.size(); ++i)
      require(std::isfinite(y.value().data()[i]), "the output is not finite: element ", i, " of ", y.shape(), " is ",
              y.value().data()[i]);
  }

  bool has_parts_ = false, watches_input_ = false;
  Index draws_ = 0;
  int observing_taps_ = 0;
  Var<B> input_;
  std::vector<Place> places_;  ///< the picture first
  std::vector<Tap> taps_;
  std::vector<Update> updates_;
  std::vector<Tensor<CpuOf<std::int64_t>>> counts_;
};

}  // namespace limn

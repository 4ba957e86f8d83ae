// An explainer that explains each picture once: for maps that cost much and are measured in several ways.
//   const explain::Remembered maps(explain::Shap{});
//   auto where = score_pictures(net, test, maps);
//   auto worth = score_faithfulness(net, test, maps);  // no second time
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/core/random.hpp"
#include "limn/explain/explanation.hpp"
#include "limn/nn/run.hpp"

namespace limn::explain {

/// For one network as it is: of another one, or after more training, make a new one. Pictures are known by a number of
/// 64 bits made of their values. What is remembered takes the memory of the maps.
template <class Explainer>
class Remembered {
 public:
  static constexpr const char* name = Explainer::name;
  static constexpr bool probability = Explainer::probability;

  explicit Remembered(Explainer explainer) : explainer_(std::move(explainer)) {}

  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    const auto size = static_cast<std::size_t>(images.size() / images.dim(0));
    std::vector<Key> keys;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const auto* values = reinterpret_cast<const char*>(images.data() + i * size);
      const std::uint64_t picture = mix(size, std::string_view(values, size * sizeof(*images.data())));
      keys.emplace_back(picture, classes[i]);
    }
    if (std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return known_.count(key) == 0; })) {
      auto fresh = explainer_(net, images, classes);
      for (std::size_t i = 0; i < keys.size(); ++i) known_.insert_or_assign(keys[i], std::move(fresh[i]));
    }
    std::vector<Explanation> out;
    for (const Key& key : keys) out.push_back(known_.at(key));
    return out;
  }

 private:
  using Key = std::pair<std::uint64_t, Index>;

  Explainer explainer_;
  mutable std::map<Key, Explanation> known_;
};

}  // namespace limn::explain

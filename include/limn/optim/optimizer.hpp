// An optimiser at work on one network: which parameters it trains, at which rate, and what it remembers of them.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "limn/core/function_ref.hpp"
#include "limn/nn/fields.hpp"
#include "limn/optim/options.hpp"
#include "limn/optim/update.hpp"

namespace limn {

/// Euclidean norm over all gradients: not finite as soon as one number is not.
template <Backend B>
[[nodiscard]] double gradient_norm(const std::vector<Var<B>>& gradients) {
  double sum = 0;
  for (const Var<B>& g : gradients) sum += detail::squared_norm(g.value().data(), g.size());
  return std::sqrt(sum);
}

/// The factor on the learning rates of a group, by its own schedule; of those without one, by nullptr.
using RateFactor = FunctionRef<double(const Schedule* own)>;

/// Holds pointers to the network's parameters: the network must stay where it is.
template <Backend B>
class Optimizer {
 public:
  using Rule = std::variant<SgdOptions, AdamOptions>;

  /// Freezes what the groups freeze. Throws OptionError for options out of range, for a prefix that no parameter has,
  /// and where nothing is left to train.
  template <class Chosen>
  [[gnu::cold]] Optimizer(const Chosen& chosen, std::vector<NamedParameter<B>> parameters) : rule_(chosen.options) {
    detail::check_options(chosen.options);
    lr_ = chosen.options.lr;
    check_groups(chosen.groups, parameters);
    for (auto& [path, parameter] : parameters) {
      const ParameterGroup* group = group_of(path, chosen.groups);
      if (group != nullptr && group->frozen) parameter->set_trainable(false);
      if (!parameter->trainable()) continue;
      Slot slot{path, *parameter, lr_, chosen.options.weight_decay, {}, {}, {}};
      if (group != nullptr) {
        slot.lr = group->lr.value_or(slot.lr);
        slot.weight_decay = group->weight_decay.value_or(slot.weight_decay);
        slot.schedule = group->schedule;
      }
      const bool adam = std::holds_alternative<AdamOptions>(rule_);
      if (adam || std::get<SgdOptions>(rule_).momentum > 0) slot.first = Tensor<B>(parameter->shape(), 0);
      if (adam) slot.second = Tensor<B>(parameter->shape(), 0);
      slots_.push_back(std::move(slot));
    }
    require<OptionError>(!slots_.empty(), "optimiser: all ", parameters.size(), " parameters are frozen");
  }

  /// What to ask gradients for, in the order in which step() takes them.
  [[nodiscard]] std::vector<Var<B>> variables() const {
    std::vector<Var<B>> out;
    for (const Slot& slot : slots_) out.push_back(slot.variable);
    return out;
  }
  /// The path of variable i.
  [[nodiscard]] const std::string& path(std::size_t i) const { return slots_.at(i).path; }

  /// One update of all parameters, in place. `factor`: on every learning rate (see Schedule).
  void step(const std::vector<Var<B>>& gradients, double factor = 1) {
    step(gradients, [factor](const Schedule*) { return factor; });
  }
  void step(const std::vector<Var<B>>& gradients, const RateFactor& factor) {
    require<ShapeError>(gradients.size() == slots_.size(), "optimiser: ", gradients.size(), " gradients for ",
                        slots_.size(), " parameters");
    for (std::size_t i = 0; i < slots_.size(); ++i)
      require<ShapeError>(gradients[i].shape() == slots_[i].variable.shape(), "optimiser: ", slots_[i].path,
                          ": gradient ", gradients[i].shape(), ", expected ", slots_[i].variable.shape());
    ++steps_;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      const double lr = slot.lr * factor(slot.schedule ? &*slot.schedule : nullptr);
      std::visit([&](const auto& rule) { update(rule, slot, gradients[i].value(), lr); }, rule_);
    }
  }

  /// The learning rate of parameters that are in no group.
  [[nodiscard]] double lr() const { return lr_; }
  /// How many steps were made.
  [[nodiscard]] Index steps() const { return steps_; }

  /// What must be kept to go on later with the same bits, besides steps(): tensors that share the optimiser's numbers.
  [[nodiscard, gnu::cold]] std::vector<std::pair<std::string, Tensor<B>>> state() const {
    const bool adam = std::holds_alternative<AdamOptions>(rule_);
    std::vector<std::pair<std::string, Tensor<B>>> out;
    for (const Slot& slot : slots_) {
      if (!slot.first.empty()) out.emplace_back(slot.path + (adam ? "/exp_avg" : "/momentum"), slot.first);
      if (!slot.second.empty()) out.emplace_back(slot.path + "/exp_avg_sq", slot.second);
    }
    return out;
  }
  /// Goes on where another optimiser with the same options stopped: what state() and steps() gave there. The numbers
  /// are copied. Throws ShapeError naming what differs.
  [[gnu::cold]] void load(const std::vector<std::pair<std::string, Tensor<B>>>& kept, Index steps) {
    auto mine = state();
    require<ShapeError>(mine.size() == kept.size(), "optimiser: its state is ", mine.size(), " tensors, got ",
                        kept.size());
    for (std::size_t i = 0; i < mine.size(); ++i)
      require<ShapeError>(mine[i].first == kept[i].first && mine[i].second.shape() == kept[i].second.shape(),
                          "optimiser: expected ", mine[i].first, " ", mine[i].second.shape(), ", got ", kept[i].first,
                          " ", kept[i].second.shape());
    for (std::size_t i = 0; i < mine.size(); ++i)
      std::copy_n(kept[i].second.data(), kept[i].second.size(), mine[i].second.data());
    steps_ = steps;
  }

 private:
  using T = typename B::scalar;
  struct Slot {
    std::string path;
    Var<B> variable;
    double lr, weight_decay;
    std::optional<Schedule> schedule;
    Tensor<B> first, second;  ///< momentum; or the running means of the gradient and of its square
  };

  static bool inside(const std::string& path, const std::string& prefix) {
    return path.compare(0, prefix.size(), prefix) == 0 &&
           (path.size() == prefix.size() || prefix.empty() || path[prefix.size()] == '.');
  }
  static const ParameterGroup* group_of(const std::string& path, const std::vector<ParameterGroup>& groups) {
    const ParameterGroup* best = nullptr;
    for (const ParameterGroup& group : groups)
      if (inside(path, group.prefix) && (best == nullptr || group.prefix.size() > best->prefix.size())) best = &group;
    return best;
  }
  [[gnu::cold]] static void check_groups(const std::vector<ParameterGroup>& groups,
                                         const std::vector<NamedParameter<B>>& all) {
    for (const ParameterGroup& group : groups) {
      if (group.lr) detail::check_rate("parameter group", "lr", *group.lr);
      if (group.weight_decay) detail::check_rate("parameter group", "weight_decay", *group.weight_decay);
      if (std::ranges::any_of(all, [&](const auto& p) { return inside(p.path, group.prefix); })) continue;
      std::string known, last;
      for (const auto& p : all) {
        const std::string top = p.path.substr(0, p.path.find('.'));
        if (top != last) known += (known.empty() ? "" : ", ") + top;
        last = top;
      }
      throw OptionError(
          text("parameter group \"", group.prefix, "\": no parameter lies there; the network has ", known));
    }
  }

  void update(const SgdOptions& o, Slot& slot, const Tensor<B>& gradient, double lr) {
    detail::sgd_update<T>(slot.variable.value().data(), gradient.data(), slot.first.data(), gradient.size(), T(lr),
                          T(o.momentum), T(slot.weight_decay), o.nesterov);
  }
  void update(const AdamOptions& o, Slot& slot, const Tensor<B>& gradient, double lr) {
    const auto t = static_cast<double>(steps_);
    const detail::AdamNumbers<T> n{T(o.beta1),
                                   T(1 - o.beta1),
                                   T(o.beta2),
                                   T(1 - o.beta2),
                                   T(lr / (1 - std::pow(o.beta1, t))),
                                   T(std::sqrt(1 - std::pow(o.beta2, t))),
                                   T(o.eps),
                                   T(o.decoupled ? 0 : slot.weight_decay),
                                   T(o.decoupled ? 1 - lr * slot.weight_decay : 1)};
    detail::adam_update<T>(slot.variable.value().data(), gradient.data(), slot.first.data(), slot.second.data(),
                           gradient.size(), n);
  }

  Rule rule_;
  double lr_ = 0;
  Index steps_ = 0;
  std::vector<Slot> slots_;
};

/// An optimiser for all parameters of the network that are not frozen. `Chosen`: Sgd or Adam.
template <class Chosen, class Net>
[[nodiscard]] Optimizer<backend_of<Net>> make_optimizer(const Chosen& chosen, Net& net) {
  return {chosen, parameters(net)};
}

}  // namespace limn

// Terms that count otherwise later in a training: later(.3, 10.f * IrmPenalty{}) is nothing during its first 3 tenths.
#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/loss/loss.hpp"

namespace limn {

/// A term times `before` until the share `from` of the training is done (Step::progress), times `after` from there on.
/// Times 0 it is not asked at all. What it needs of a pass it is given all the time, so that what does not fit is
/// refused before the first step.
template <LossTerm Term>
struct Later {
  static constexpr const char* name = Term::name;
  Term term;
  double from;
  float before = 0, after = 1;

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    if constexpr (requires { term.watch(net, run); }) term.watch(net, run);
  }
  template <Backend B>
  [[nodiscard]] Var<B> operator()(const Step<B>& step) const {
    const float times = factor(step.progress);
    if (times == 0) return Tensor<B>(Shape{1}, typename B::scalar(0));
    const Var<B> value = term(step);
    return times == 1 ? value : value * static_cast<typename B::scalar>(times);
  }
  template <Backend B>
  void commit(const Step<B>& step) {
    if constexpr (requires { term.commit(step); })
      if (factor(step.progress) != 0) term.commit(step);
  }
  [[nodiscard]] std::vector<std::pair<std::string, Tensor<CpuDouble>>> state() const {
    if constexpr (requires { term.state(); }) return term.state();
    return {};
  }
  void check_domains(Index known) const {
    if constexpr (requires { term.check_domains(known); }) term.check_domains(known);
  }

 private:
  float factor(double progress) const { return progress < from ? before : after; }
};

/// The loss, 0 until then: every term Later. `from`: share of the training, 0 to 1; OptionError for others.
template <AnyLoss L>
[[nodiscard]] auto later(double from, L loss) {
  require<OptionError>(from >= 0 && from <= 1, "later: needs a share of the training from 0 to 1, got ", from);
  return [from]<class... T>(Loss<T...> sum) {
    return std::apply(
        [from](auto&&... weighted) {
          return Loss<Later<T>...>{{Weighted<Later<T>>{{std::move(weighted.term), from}, weighted.weight}...}};
        },
        std::move(sum.terms));
  }(as_loss(std::move(loss)));
}

}  // namespace limn

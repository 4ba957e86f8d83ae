// Terms that wait: later(.3, 10.f * IrmPenalty{}) counts nothing during the first 3 tenths of a training.
#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/loss/loss.hpp"

namespace limn {

/// A term that is 0 until the share `from` of the training is done (Step::progress), and not asked before. What it
/// needs of a pass it is given from the start, so that what does not fit is refused before the first step.
template <LossTerm Term>
struct Later {
  static constexpr const char* name = Term::name;
  Term term;
  double from;

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    if constexpr (requires { term.watch(net, run); }) term.watch(net, run);
  }
  template <Backend B>
  [[nodiscard]] Var<B> operator()(const Step<B>& step) const {
    if (step.progress < from) return Tensor<B>(Shape{1}, typename B::scalar(0));
    return term(step);
  }
  template <Backend B>
  void commit(const Step<B>& step) {
    if constexpr (requires { term.commit(step); })
      if (step.progress >= from) term.commit(step);
  }
  [[nodiscard]] std::vector<std::pair<std::string, Tensor<CpuDouble>>> state() const {
    if constexpr (requires { term.state(); }) return term.state();
    return {};
  }
  void check_domains(Index known) const {
    if constexpr (requires { term.check_domains(known); }) term.check_domains(known);
  }
};

/// The loss with every term Later. `from`: share of the training, 0 to 1; OptionError for others.
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

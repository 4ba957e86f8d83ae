// Losses that compare how a network does in the domains of the batch: IRM and GroupDRO. Both need data that knows its
// domains (data/domains.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "limn/loss/classification.hpp"
#include "limn/nn/parameter.hpp"

namespace limn {

namespace detail {

inline constexpr const char* unknown_domains = ": needs to know the domains of the pictures (data/domains.hpp)";

/// For each domain 0 .. domains - 1 the mean over its pictures in the batch, as weights (domains, n); a row of zeros
/// where it has none. Throws OptionError where domains are not known, and for one that is not in this range.
template <Backend B>
[[nodiscard, gnu::cold]] Tensor<B> domain_means(const char* name, const Batch<B>& batch, Index domains) {
  const auto n = static_cast<Index>(batch.labels.size());
  require<OptionError>(static_cast<Index>(batch.domains.size()) == n, name, unknown_domains);
  Tensor<B> out(Shape{domains, n}, typename B::scalar(0));
  std::vector<Index> count(static_cast<std::size_t>(domains), 0);
  for (const Index domain : batch.domains) {
    require<OptionError>(domain >= 0 && domain < domains, name, ": a picture of domain ", domain, ", expected 0 to ",
                         domains - 1);
    count[static_cast<std::size_t>(domain)] += 1;
  }
  for (Index i = 0; i < n; ++i) {
    const Index domain = batch.domains[static_cast<std::size_t>(i)];
    out(domain, i) = typename B::scalar(1) / static_cast<typename B::scalar>(count[static_cast<std::size_t>(domain)]);
  }
  return out;
}

/// weights (domains, n) times values (n, 1).
template <Backend B>
[[nodiscard]] Var<B> domain_risks(const Tensor<B>& weights, const Var<B>& values) {
  return matmul(Var<B>(weights), values);  // (domains, 1)
}

}  // namespace detail

/// Invariant risk minimisation, IRMv1 (Arjovsky et al. 2019): mean over the domains of the batch of (d R_e(w logits) /
/// d w at w = 1)^2, R_e the domain's cross-entropy. Beside the risk itself: CrossEntropy{} + 100.f * IrmPenalty{}.
/// A large penalty from the start keeps the network from learning anything: later(.3, 100.f * IrmPenalty{}).
/// Throws OptionError where the data does not know its domains.
struct IrmPenalty {
  static constexpr const char* name = "irm_penalty";

  /// Before the first step: how many domains the data knows.
  [[gnu::cold]] void check_domains(Index known) const {
    require<OptionError>(known > 0, name, detail::unknown_domains);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    using T = typename B::scalar;
    check_domains(static_cast<Index>(step.batch.domains.size()));
    Index domains = 1;
    for (const Index domain : step.batch.domains) domains = std::max(domains, domain + 1);
    const Tensor<B> weights = detail::domain_means(name, step.batch, domains);
    // d CE(w z, y) / d w at w = 1 is (sum over classes of p z) - z_y.
    const Var<B> own = take(step.logits, explain::detail::of_classes(step.logits, step.batch.labels));
    const Var<B> slope = sum(softmax(step.logits) * step.logits, {-1}) - own;  // (n, 1)
    const Var<B> risks = detail::domain_risks(weights, slope);
    Index present = 0;
    for (Index d = 0; d < domains; ++d)
      present += std::any_of(weights.data() + d * weights.dim(1), weights.data() + (d + 1) * weights.dim(1),
                             [](T v) { return v > 0; });
    return sum(square(risks)) / static_cast<T>(present);
  }
};

/// Distributionally robust optimisation over domains (Sagawa et al. 2020, Algorithm 1): sum over the domains of
/// q_e R_e, where q_e, which starts equal and sums to one, grows with every step by the factor exp(rate R_e). It stands
/// in the place of CrossEntropy. A domain without a picture in the batch has R_e = 0 there.
/// The weights q are the term's memory: they are kept in checkpoints, so a run goes on with the same bits. Every
/// train::fit begins with those of the term it is given.
/// Throws OptionError for options out of range, and where the data does not know its domains or has others.
struct GroupDro {
  static constexpr const char* name = "group_dro";
  double rate = .01;
  Buffer<CpuDouble> weights;  ///< q, (domains)

  /// For so many domains: train.domain_names().size().
  [[gnu::cold]] explicit GroupDro(Index domains, double step_rate = .01)
      : rate(step_rate), weights(Shape{std::max<Index>(domains, 0)}, 1. / static_cast<double>(domains)) {
    require<OptionError>(domains >= 1, name, ": needs 1 domain or more, got ", domains);
    require<OptionError>(rate >= 0 && rate <= 10, name, ": rate must be 0 to 10, got ", rate);
  }

  /// Before the first step: how many domains the data knows.
  [[gnu::cold]] void check_domains(Index known) const {
    require<OptionError>(known > 0, name, detail::unknown_domains);
    require<OptionError>(known == weights.value().size(), name, ": is for ", weights.value().size(),
                         " domains, the data has ", known);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    const Var<B> risks = risks_of(step);
    const Tensor<CpuDouble> q = updated(risks.value());
    Tensor<B> factors(risks.shape());
    for (Index d = 0; d < q.size(); ++d) factors.data()[d] = static_cast<typename B::scalar>(q.data()[d]);
    return sum(risks * Var<B>(factors));
  }
  template <Backend B>
  [[gnu::cold]] void commit(const Step<B>& step) {
    const NoRecord off;
    const Tensor<CpuDouble> q = updated(risks_of(step).value());
    std::copy_n(q.data(), q.size(), weights.value().data());
  }
  [[nodiscard]] std::vector<std::pair<std::string, Tensor<CpuDouble>>> state() const {
    return {{"weights", weights.value()}};
  }

 private:
  template <Backend B>
  [[nodiscard]] Var<B> risks_of(const Step<B>& step) const {
    return detail::domain_risks(detail::domain_means(name, step.batch, weights.value().size()),
                                cross_entropies(step.logits, step.batch.labels));  // (domains, 1)
  }
  /// The weights after a step with these risks.
  template <class T>
  [[nodiscard]] Tensor<CpuDouble> updated(const Tensor<CpuOf<T>>& risks) const {
    Tensor<CpuDouble> out = weights.value().clone();
    double sum = 0, largest = 0;
    for (const T risk : risks.span()) largest = std::max(largest, static_cast<double>(risk));
    for (Index d = 0; d < out.size(); ++d)  // the largest factor is 1: nothing overflows
      sum += out.data()[d] *= std::exp(rate * (static_cast<double>(risks.data()[d]) - largest));
    for (double& q : out.span()) q /= sum;
    return out;
  }
};

}  // namespace limn

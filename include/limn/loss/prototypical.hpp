// The loss by which a prototypical network learns (Snell et al. 2017): every batch is an episode.
#pragma once

#include <vector>

#include "limn/loss/loss.hpp"

namespace limn {

/// Of every class in the batch the first `shots` pictures are the support, whose mean is the class; the others are
/// asked. Mean over these of -ln softmax(-squared distances to the means), over the classes of the batch (Algorithm 1).
/// Reads what the layer "embedding" gives: models::Prototypical, or a network of yours with a layer of that name (n,
/// d).
///
/// Train with FitOptions{.drop_last = true}, so that the last batch of an epoch is not too small. Throws OptionError
/// for a batch in which a class has no more than `shots` pictures.
struct PrototypicalLoss {
  static constexpr const char* name = "prototypical";
  Index shots = 5;

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    require<OptionError>(shots >= 1, name, ": shots must be at least 1, got ", shots);
    run.template listen<"embedding">(net);
  }

  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    const Episode episode = of(step.batch.labels);
    const auto n = static_cast<Index>(step.batch.labels.size()), asked = static_cast<Index>(episode.queries.size());
    const Var<B>& embedding = step.run.watched("embedding");
    require<ShapeError>(embedding.rank() == 2 && embedding.dim(0) == n, name, ": the embeddings are ",
                        embedding.shape(), ", expected a row for each of ", n, " pictures");
    // Means and choices of rows are products with matrices of a few numbers.
    Tensor<B> mean(Shape{static_cast<Index>(episode.support.size()), n}, typename B::scalar(0));
    for (Index k = 0; k < mean.dim(0); ++k)
      for (const Index i : episode.support[static_cast<std::size_t>(k)])
        mean(k, i) = 1 / static_cast<typename B::scalar>(shots);
    Tensor<B> query(Shape{asked, n}, typename B::scalar(0));
    for (Index k = 0; k < asked; ++k) query(k, episode.queries[static_cast<std::size_t>(k)]) = 1;
    const Var<B> classes = matmul(Var<B>(mean), embedding), pictures = matmul(Var<B>(query), embedding);
    return cross_entropy(-squared_distances(pictures, classes), std::span<const Index>(episode.answers));
  }

 private:
  struct Episode {
    std::vector<std::vector<Index>> support;  ///< positions in the batch, for each class that is there
    std::vector<Index> queries, answers;      ///< positions in the batch, and the number of their class in `support`
  };

  [[nodiscard, gnu::cold]] Episode of(const std::vector<Index>& labels) const {
    std::vector<std::vector<Index>> of_class;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto label = static_cast<std::size_t>(labels[i]);
      if (of_class.size() <= label) of_class.resize(label + 1);
      of_class[label].push_back(static_cast<Index>(i));
    }
    Episode out;
    for (std::size_t label = 0; label < of_class.size(); ++label) {
      std::vector<Index>& members = of_class[label];
      if (members.empty()) continue;
      const auto count = static_cast<Index>(members.size());
      require<OptionError>(count > shots, name, ": a batch with ", count, " of class ", label, ", expected at least ",
                           shots + 1, ": ", shots, " shots and a query; take larger or balanced batches");
      for (auto i = static_cast<std::size_t>(shots); i < members.size(); ++i) {
        out.queries.push_back(members[i]);
        out.answers.push_back(static_cast<Index>(out.support.size()));
      }
      members.resize(static_cast<std::size_t>(shots));
      out.support.push_back(std::move(members));
    }
    return out;
  }
};

}  // namespace limn

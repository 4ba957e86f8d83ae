// Prototypes of a prototypical network, from the pictures whose classes are known.
//   train::fit(net, PrototypicalLoss{}, Adam{}, train, val,
//              {.drop_last = true, .before_validation = [&] { set_prototypes(net, train); }});
#pragma once

#include <vector>

#include "limn/evaluate/predict.hpp"

namespace limn {

/// Puts the mean embedding of every class's pictures (Snell et al. 2017, Eq. 1), in evaluation mode, into
/// net.prototypes: models::Prototypical. Throws OptionError unless every class has a picture.
template <class Net>
[[gnu::cold]] void set_prototypes(Net& net, const data::Dataset& set) {
  using B = backend_of<Net>;
  const std::vector<Index> counts = set.counts();
  require<ShapeError>(set.classes() == Net::out_channels, "set_prototypes: the network tells ", Net::out_channels,
                      " classes apart, the data has ", set.classes());
  for (std::size_t k = 0; k < counts.size(); ++k)
    require<OptionError>(counts[k] > 0, "set_prototypes: no picture of class \"", set.class_names()[k], "\"");
  const NoRecord no_record;
  Tensor<B>& prototypes = net.prototypes.value();
  const Index width = prototypes.dim(1);
  std::vector<double> sums(static_cast<std::size_t>(prototypes.size()), 0.0);
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const Batch<B> batch = to_batch<B>(std::move(*host));
    Run<B> run;
    const Tensor<B> embedded = net.embed(Var<B>(batch.images), run).value();  // (n, width)
    for (Index i = 0; i < embedded.size(); ++i)
      sums[static_cast<std::size_t>(batch.labels[static_cast<std::size_t>(i / width)] * width + i % width)] +=
          static_cast<double>(embedded.data()[i]);
  }
  for (Index i = 0; i < prototypes.size(); ++i)
    prototypes.data()[i] = static_cast<typename B::scalar>(
        sums[static_cast<std::size_t>(i)] / static_cast<double>(counts[static_cast<std::size_t>(i / width)]));
}

}  // namespace limn

// Pictures by what a network calls them, for explainers that learn from them:
//   explain::Craft<"layer4"> craft;
//   craft.fit(net, named(net, train, 1), 1);
#pragma once

#include <limits>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/evaluate/predict.hpp"

namespace limn {

/// The pictures (n, h, w, c) of the set that the network puts in this class, whatever their label, the first `at_most`
/// of them. Error if there is none.
template <class Net>
[[nodiscard, gnu::cold]] Tensor<backend_of<Net>> named(const Net& net, const data::Dataset& set, Index of_class,
                                                       Index at_most = std::numeric_limits<Index>::max()) {
  using B = backend_of<Net>;
  require<OptionError>(of_class >= 0 && of_class < set.classes() && at_most >= 1, "named: class ", of_class,
                       ", at most ", at_most, " pictures: expected 0 to ", set.classes() - 1, " and 1 or more");
  std::vector<typename B::scalar> numbers;
  Shape shape{0, 1, 1, 1};
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  PackedWeights<B> packed;
  while (auto host = stream.next()) {
    const Batch<B> batch = to_batch<B>(std::move(*host));
    Run<B> run;
    run.packed = &packed;
    const std::vector<Index> predicted = predicted_classes(probabilities(net, batch.images, run));
    const auto size = static_cast<std::size_t>(batch.images.size() / batch.images.dim(0));
    for (std::size_t i = 0; i < predicted.size() && shape[0] < at_most; ++i) {
      if (predicted[i] != of_class) continue;
      append(numbers, batch.images.span().subspan(i * size, size));
      shape = Shape{shape[0] + 1, batch.images.dim(1), batch.images.dim(2), batch.images.dim(3)};
    }
    if (shape[0] >= at_most) break;
  }
  require(shape[0] > 0, "named: the network puts no picture in class ", of_class);
  return Tensor<B>(shape, std::span<const typename B::scalar>(numbers));
}

}  // namespace limn

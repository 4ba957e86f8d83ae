// One LAP of a network by itself, without the other depths: to see what the joined map owes to which.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "limn/explain/lap/lap.hpp"

namespace limn::explain {

/// The map of LAP number `number`, counted from 1, the shallowest. It ranks by itself.
struct LapAlone {
  static constexpr const char* name = "one LAP";
  static constexpr bool probability = true;
  std::size_t number = 1;

  /// As Lap: empty where no clue speaks for the class.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    std::vector<Explanation> out;
    for (Explanation& all : Lap{}(net, images, classes)) {
      Explanation one;
      if (!all.parts.empty()) {
        require<OptionError>(number >= 1 && number <= all.parts.size(), "explain::LapAlone: LAP ", number,
                             ", expected 1 to ", all.parts.size());
        MapPart& part = all.parts[number - 1];
        one = {.map = std::move(part.map), .grid = part.grid};
      }
      out.push_back(std::move(one));
    }
    return out;
  }
};

}  // namespace limn::explain

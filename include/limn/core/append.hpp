// Lists that grow.
#pragma once

#include <initializer_list>
#include <vector>

namespace limn {

/// Puts copies of `from` behind what is in `to`. A range insert does this too, but can also open a gap in the middle,
/// and is several times the code.
template <class T, class Range = std::initializer_list<T>>
void append(std::vector<T>& to, const Range& from) {
  for (const auto& item : from) to.push_back(item);
}

}  // namespace limn

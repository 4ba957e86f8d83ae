// A term without a name is no acquisition, and cannot be added to one.
// expect: limn: this is not an acquisition: a term needs static constexpr const char\* name
#include "limn/active/uncertainty.hpp"
using namespace limn;

struct Mine {
#ifndef BAD
  static constexpr const char* name = "mine";
#endif
  template <class Net>
  std::vector<double> operator()(const acquire::View<Net>& view) const {
    return std::vector<double>(static_cast<std::size_t>(view.size()));
  }
};

int main() {
  auto score = .5f * acquire::Entropy{} + Mine{};
  return sizeof(&score) > 0 ? 0 : 1;
}

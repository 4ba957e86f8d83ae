// An explainer that is asked once for each picture and class.
#include "limn/explain/remembered.hpp"

#include <doctest/doctest.h>

using namespace limn;

namespace {

struct Counting {
  static constexpr const char* name = "counting";
  static constexpr bool probability = true;
  int* asked;

  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net&, const Tensor<B>& images,
                                               std::span<const Index> classes) const {
    std::vector<explain::Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) {
      ++*asked;
      explain::Map map(std::array<std::size_t, 2>{1, 1},
                       images(i, 0, 0, 0) + 10 * static_cast<float>(classes[static_cast<std::size_t>(i)]));
      out.push_back({.map = map});
    }
    return out;
  }
};

Tensor<Cpu> pictures(std::initializer_list<float> values) {
  return Tensor<Cpu>(Shape{static_cast<Index>(values.size()), 1, 1, 1},
                     std::span<const float>(values.begin(), values.size()));
}

}  // namespace

TEST_CASE("what is known is not asked again; another class or picture is") {
  int asked = 0;
  const explain::Remembered maps(Counting{&asked});
  CHECK(std::string(maps.name) == "counting");
  CHECK(maps.probability);
  const auto ask = [&](const Tensor<Cpu>& images, const std::vector<Index>& classes) {
    std::vector<float> out;
    for (const auto& e : maps(0, images, std::span<const Index>(classes))) out.push_back(e.map(0, 0));
    return out;
  };
  CHECK(ask(pictures({1, 2}), {0, 1}) == std::vector<float>{1, 12});
  CHECK(asked == 2);
  CHECK(ask(pictures({2}), {1}) == std::vector<float>{12});
  CHECK(ask(pictures({2, 1, 2}), {1, 0, 1}) == std::vector<float>{12, 1, 12});
  CHECK(asked == 2);
  CHECK(ask(pictures({2}), {0}) == std::vector<float>{2});
  CHECK(asked == 3);
  CHECK(ask(pictures({3, 1}), {0, 0}) == std::vector<float>{3, 1});  // a batch with something new is asked whole
  CHECK(asked == 5);
}

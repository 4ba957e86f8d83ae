// Planted shortcuts: where the disc is, in which pictures, and that nothing else changes.
#include "limn/data/phantom/planted.hpp"

#include <cmath>

#include "../io/support.hpp"

using namespace limn;

namespace {

constexpr Index size = 48;

/// The largest difference in the lower left corner, where the disc is, and elsewhere.
std::pair<float, float> change(const data::Image& before, const data::Image& after) {
  float corner = 0, elsewhere = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::size_t x = i % size, y = i / size;
    float& largest = x < size / 6 && y >= size - size / 6 ? corner : elsewhere;
    largest = std::max(largest, std::abs(after.data()[i] - before.data()[i]));
  }
  return {corner, elsewhere};
}

}  // namespace

TEST_CASE("a planted mark gives the class away, or says nothing") {
  const auto plain = data::phantoms({.count = 400, .size = size, .seed = 3});
  const auto honest = data::planted(plain, 1, Seed{1}), lying = data::planted(plain, 0, Seed{1}),
             random = data::planted(plain, .5f, Seed{1});
  Index agree = 0;
  for (Index i = 0; i < plain.size(); ++i) {
    const bool ill = plain[i].label > 0;
    for (const auto& [set, marked] : {std::pair{&honest, ill}, {&lying, !ill}}) {
      const auto [corner, elsewhere] = change(plain[i].image, (*set)[i].image);
      CHECK((corner > .02f) == marked);  // a corner can be bright already
      CHECK((corner == 0) == !marked);
      CHECK(elsewhere == 0);
      CHECK((*set)[i].label == plain[i].label);
      CHECK((*set)[i].mask == plain[i].mask);
      CHECK((*set)[i].id == plain[i].id);
    }
    agree += (change(plain[i].image, random[i].image).first > 0) == ill;
  }
  CHECK(std::abs(static_cast<double>(agree) - 200) < 4 * 10);  // 4 standard deviations of 400 coins
  CHECK(plain.class_names() == honest.class_names());
  CHECK(data::planted(plain, .5f, Seed{1})[7].image == random[7].image);
  Index same = 0;
  const auto other = data::planted(plain, .5f, Seed{2});
  for (Index i = 0; i < plain.size(); ++i) same += other[i].image == random[i].image;
  CHECK(same < 300);
  CHECK(support::message<OptionError>([&] { (void)data::planted(plain, 1.5f); }) ==
        "planted: honest must be 0 to 1, got 1.5");
}

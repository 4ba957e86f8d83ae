// Pictures by what a network calls them, on a net whose answers are known.
#include "limn/evaluate/named.hpp"

#include <doctest/doctest.h>

#include "bright.hpp"

using namespace limn;
using testing::Bright, testing::pictures;

TEST_CASE("the pictures that a network puts in a class, in their order") {
  const Bright net;
  const Tensor<Cpu> bright = named(net, pictures(), 1), first = named(net, pictures(), 1, 2),
                    dark = named(net, pictures(), 0);
  REQUIRE(bright.shape() == Shape{4, 2, 2, 1});  // "hit", "exact", "no mask" and "alarm", which is labelled 0
  CHECK(bright(0, 1, 0, 0) == 0.6f);
  CHECK(bright(1, 1, 1, 0) == 0.4f);
  CHECK(bright(3, 0, 0, 0) == 0.9f);
  CHECK(first.shape() == Shape{2, 2, 2, 1});
  CHECK(testing::same_bits(first, kernel::slice(bright, 0, 0, 2)));
  CHECK(dark.shape() == Shape{3, 2, 2, 1});
  CHECK(dark(0, 1, 0, 0) == 0.6f);  // "missed"
}

TEST_CASE("a class without pictures, or that is not there, is refused") {
  Bright never;
  never.gain.value().fill(-1e-9f);
  const data::Dataset dim({testing::sample("dim", 0, {.9f, .9f, .9f, .9f})}, {"no", "yes"});
  CHECK(testing::message_of([&] { (void)named(never, dim, 1); }) == "named: the network puts no picture in class 1");
  CHECK(testing::message_of([&] { (void)named(never, dim, 2, 5); }) ==
        "named: class 2, at most 5 pictures: expected 0 to 1 and 1 or more");
}

// Shapes, what broadcasts, and windows.
#include "limn/core/shape.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace limn;

// Shapes are ordinary constants: these lines are checked by the compiler.
static_assert(Shape{2, 3, 4}.size() == 24);
static_assert(Shape{2, 3, 4}.rank() == 3);
static_assert(Shape{2, 3, 4}.back() == 4);
static_assert(Shape{2, 3, 4}.product(1, 3) == 12);
static_assert(Shape{2, 3, 4}.product(1, 1) == 1);
static_assert(Shape{2, 0}.size() == 0);
static_assert(Shape{}.size() == 0 && Shape{}.rank() == 0);
static_assert(Shape{2, 3} == Shape{2, 3});
static_assert(!(Shape{2, 3} == Shape{3, 2}) && !(Shape{2} == Shape{2, 1}));

static_assert(Window::square(3, 2, 1).out_h(224) == 112);
static_assert(Window::square(7, 2, 3).out_h(224) == 112);
static_assert(Window::square(3).out_h(3) == 1 && Window::square(3).out_h(2) == 0);
static_assert(Window::square(2, 3).out_h(5) == 2 && Window::square(2, 3).out_h(4) == 1);
static_assert(Window{1, 5, 1, 2, 0, 2}.out_h(4) == 4 && Window{1, 5, 1, 2, 0, 2}.out_w(8) == 4);
static_assert(Window{2, 3, 1, 1, 0, 0}.area() == 6);
static_assert(Window{}.pointwise() && Window::square(1) == Window{});
static_assert(!Window::square(1, 2).pointwise() && !Window::square(1, 1, 1).pointwise());

TEST_CASE("a shape is written as a tuple") {
  CHECK(to_string(Shape{8, 64, 64, 3}) == "(8, 64, 64, 3)");
  CHECK(to_string(Shape{5}) == "(5)");
  CHECK(to_string(Shape{}) == "()");
  std::ostringstream out;
  out << Shape{2, 3};
  CHECK(out.str() == "(2, 3)");
}

TEST_CASE("shapes that cannot be are refused") {
  CHECK_THROWS_WITH_AS((Shape{1, 2, 3, 4, 5, 6}), "a tensor has at most 5 dimensions", ShapeError);
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "a dimension of a tensor cannot be negative", ShapeError);
  Shape full{1, 2, 3, 4, 5};
  CHECK_THROWS_WITH_AS(full.push(1), "a tensor has at most 5 dimensions", ShapeError);
}

TEST_CASE("axes may be counted from the end") {
  CHECK(checked_axis("sum", 0, Shape{2, 3}) == 0);
  CHECK(checked_axis("sum", -1, Shape{2, 3}) == 1);
  CHECK(checked_axis("sum", -2, Shape{2, 3}) == 0);
  CHECK_THROWS_WITH_AS((void)checked_axis("sum", 2, Shape{2, 3}), "sum: axis 2 of a tensor of shape (2, 3)",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)checked_axis("sum", -3, Shape{2, 3}), "sum: axis -3 of a tensor of shape (2, 3)",
                       ShapeError);
}

TEST_CASE("what broadcasts") {
  struct Row {
    Shape a, b, result;
  };
  for (const auto& [a, b, result] :
       {Row{{2, 3}, {2, 3}, {2, 3}}, Row{{2, 3}, {3}, {2, 3}}, Row{{2, 3}, {1}, {2, 3}}, Row{{2, 3}, {1, 3}, {2, 3}},
        Row{{2, 1}, {1, 3}, {2, 3}}, Row{{4, 5, 6, 7}, {4, 1, 1, 7}, {4, 5, 6, 7}}, Row{{1, 1}, {1}, {1, 1}},
        Row{{7}, {1}, {7}}, Row{{2, 3, 4, 5, 6}, {6}, {2, 3, 4, 5, 6}}, Row{{0, 3}, {3}, {0, 3}},
        Row{{0, 3}, {1, 3}, {0, 3}}}) {
    CHECK(broadcast("add", a, b) == result);
    CHECK(broadcast("add", b, a) == result);
  }
}

TEST_CASE("what is refused, naming both shapes") {
  struct Row {
    Shape a, b;
  };
  // A matrix does not go with a stack of matrices, and a vector goes along the last axis only.
  for (const auto& [a, b] :
       {Row{{2, 3}, {3, 2}}, Row{{2, 3}, {2}}, Row{{2, 3, 4}, {3, 4}}, Row{{2}, {3}}, Row{{2, 3}, {1, 2, 3}},
        Row{{4, 1}, {4}}, Row{{2, 3, 4}, {1, 1}}, Row{{0}, {2}}, Row{{2}, {}}}) {
    CHECK_THROWS_WITH_AS((void)broadcast("add", a, b),
                         text("add: shapes ", a, " and ", b, " do not go together").c_str(), ShapeError);
    CHECK_THROWS_AS((void)broadcast("add", b, a), ShapeError);
  }
}

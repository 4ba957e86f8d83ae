// Rows of the table of operations: arithmetic.
#include "limn/ops/arithmetic.hpp"

#include "table.hpp"

namespace limn::table {
namespace {

// f'(x) of x / (1 + exp(-x)), for map: s + x s (1 - s) with s = sigmoid(x) = 1 / (1 + exp(-x))
struct Swish {
  template <class T>
  T operator()(T x) const {
    return x / (1 + std::exp(-x));
  }
};
const auto swish = [](const auto& v) {
  return map(Swish{}, v[0], [](const auto& x) {
    const auto s = 1 / (1 + exp(-x));
    return s + x * s * (1 - s);
  });
};

/// Cases of a function of one tensor, element by element.
template <class F>
Op unary(std::string name, std::string meaning, Draw draw, F f, double (*reference)(double)) {
  const auto on = [=](const Shape& shape) {
    return make({{shape, draw}}, f, [=](const auto& x) { return reference::apply(x[0], reference); });
  };
  return {.name = std::move(name),
          .arguments = "x",
          .meaning = std::move(meaning),
          .gradients = "x",
          .cases = {on({7}), on({2, 3, 4}), on({1, 1, 1, 1, 1})},
          .random = [=](Random& r) { return on(random_shape(r, 1 + static_cast<int>(r.below(5)), 4)); },
          .large = on({5, 9001})};
}

/// Cases of a function of two tensors that broadcast. `second` is how the second one is drawn.
template <class F>
Op binary(std::string name, std::string meaning, Draw second, F f, double (*reference)(double, double)) {
  const auto on = [=](const Shape& a, const Shape& b, const Shape& shape) {
    return make({{a}, {b, second}}, f, [=](const auto& x) { return reference::apply(shape, x[0], x[1], reference); });
  };
  const auto refuse = [=](const Shape& a, const Shape& b) {
    return Refused{text("shapes ", a, " and ", b, " do not go together"), [=] {
                     (void)f(std::vector{zeros(a), zeros(b)});
                   }};
  };
  return {
      .name = std::move(name),
      .arguments = "a, b (equal shapes, extents of 1, a vector along the last axis, or one number)",
      .meaning = std::move(meaning),
      .gradients = "a, b",
      .cases = {on({2, 3}, {2, 3}, {2, 3}), on({2, 3, 4}, {4}, {2, 3, 4}), on({4}, {2, 3, 4}, {2, 3, 4}),
                on({2, 3, 4}, {1}, {2, 3, 4}), on({1}, {3, 2}, {3, 2}), on({2, 1, 4, 1}, {1, 3, 4, 2}, {2, 3, 4, 2}),
                on({2, 2, 2, 2, 3}, {2, 1, 1, 2, 1}, {2, 2, 2, 2, 3}), on({1, 1}, {1}, {1, 1})},
      .random =
          [=](Random& r) {
            const Shape shape = random_shape(r, 1 + static_cast<int>(r.below(5)), 4);
            Shape a = shape, b = shape;
            for (int i = 0; i < shape.rank(); ++i)
              if (r.chance(0.4)) (r.chance(0.5) ? a : b)[i] = 1;
            if (r.chance(0.2)) return on(shape, {shape.back()}, shape);
            if (r.chance(0.2)) return on({1}, shape, shape);
            return on(a, b, shape);
          },
      .large = on({3, 40, 700}, {1, 40, 1}, {3, 40, 700}),
      .refused = {refuse({2, 3}, {3, 2}), refuse({2, 3}, {2}), refuse({2, 3, 4}, {3, 4}), refuse({2}, {3})}};
}

Op scalar(std::string name, std::string meaning, std::vector<Case> cases, Case large) {
  return {.name = name + " (scalar)",
          .arguments = "x, s (one constant number, on either side)",
          .meaning = std::move(meaning),
          .gradients = "x",
          .cases = cases,
          .random =
              [cases](Random& r) {
                Case one = cases[static_cast<std::size_t>(r.below(static_cast<Index>(cases.size())))];
                one.inputs[0].shape = random_shape(r, 1 + static_cast<int>(r.below(5)), 4);
                return one;
              },
          .large = std::move(large)};
}

template <class F>
Case on_each(const Shape& shape, Draw draw, F f, double (*reference)(double)) {
  return make({{shape, draw}}, f, [=](const auto& x) { return reference::apply(x[0], reference); });
}

Case to_shape(bool sums, const Shape& from, const Shape& to) {
  if (sums)
    return make(
        {{from}}, [=](const auto& v) { return sum_to(v[0], to); },
        [=](const auto& x) { return reference::sum_to(x[0], to); });
  return make(
      {{from}}, [=](const auto& v) { return repeat_to(v[0], to); },
      [=](const auto& x) { return reference::repeat_to(x[0], to); });
}

/// Some axes of a random shape set to 1, or only the last one, or one number.
Shape narrower(const Shape& shape, Random& r) {
  if (r.chance(0.2)) return {1};
  if (r.chance(0.2)) return {shape.back()};
  Shape out = shape;
  for (int i = 0; i < out.rank(); ++i)
    if (r.chance(0.5)) out[i] = 1;
  return out;
}

}  // namespace

std::vector<Op> arithmetic() {
  std::vector<Op> ops;
  ops.push_back(binary(
      "operator+", "a + b", Draw::normal, [](const auto& v) { return v[0] + v[1]; },
      [](double a, double b) { return a + b; }));
  ops.push_back(binary(
      "operator-", "a - b", Draw::normal, [](const auto& v) { return v[0] - v[1]; },
      [](double a, double b) { return a - b; }));
  ops.push_back(binary(
      "operator*", "a times b", Draw::normal, [](const auto& v) { return v[0] * v[1]; },
      [](double a, double b) { return a * b; }));
  ops.push_back(binary(
      "operator/", "a / b", Draw::positive, [](const auto& v) { return v[0] / v[1]; },
      [](double a, double b) { return a / b; }));
  ops.push_back(binary(
      "maximum", "the larger of both; where they are equal the gradient goes to b", Draw::normal,
      [](const auto& v) { return maximum(v[0], v[1]); }, [](double a, double b) { return a > b ? a : b; }));

  const Shape small{2, 3}, big{5, 9001};
  const auto plus = [](const auto& v) { return v[0] + 1.75; };
  const auto times = [](const auto& v) { return v[0] * 1.75; };
  const auto minus = [](const auto& v) { return 1.75 - v[0]; };
  const auto over = [](const auto& v) { return 1.75 / v[0]; };
  ops.push_back(
      scalar("operator+", "x + s",
             {on_each(small, Draw::normal, plus, [](double x) { return x + 1.75; }),
              on_each(
                  small, Draw::normal, [](const auto& v) { return 1.75 + v[0]; }, [](double x) { return x + 1.75; })},
             on_each(big, Draw::normal, plus, [](double x) { return x + 1.75; })));
  ops.push_back(
      scalar("operator-", "x - s, s - x",
             {on_each(small, Draw::normal, minus, [](double x) { return 1.75 - x; }),
              on_each(
                  small, Draw::normal, [](const auto& v) { return v[0] - 1.75; }, [](double x) { return x - 1.75; })},
             on_each(big, Draw::normal, minus, [](double x) { return 1.75 - x; })));
  ops.push_back(
      scalar("operator*", "x times s",
             {on_each(small, Draw::normal, times, [](double x) { return x * 1.75; }),
              on_each(
                  small, Draw::normal, [](const auto& v) { return 1.75 * v[0]; }, [](double x) { return x * 1.75; })},
             on_each(big, Draw::normal, times, [](double x) { return x * 1.75; })));
  ops.push_back(
      scalar("operator/", "x / s, s / x",
             {on_each(small, Draw::positive, over, [](double x) { return 1.75 / x; }),
              on_each(
                  small, Draw::normal, [](const auto& v) { return v[0] / 1.75; }, [](double x) { return x / 1.75; })},
             on_each(big, Draw::positive, over, [](double x) { return 1.75 / x; })));

  ops.push_back(unary(
      "operator- (one)", "-x", Draw::normal, [](const auto& v) { return -v[0]; }, [](double x) { return -x; }));
  Op power = unary(
      "pow", "x to a constant power; x > 0 unless it is a whole number", Draw::positive,
      [](const auto& v) { return pow(v[0], 1.75); }, [](double x) { return std::pow(x, 1.75); });
  power.arguments = "x, exponent";
  power.cases.push_back(on_each(
      small, Draw::nonzero, [](const auto& v) { return pow(v[0], 3); }, [](double x) { return x * x * x; }));
  power.cases.push_back(on_each(
      small, Draw::positive, [](const auto& v) { return pow(v[0], -0.5); }, [](double x) { return 1 / std::sqrt(x); }));
  // Whole powers at 0, where 0 x^-1 must not arise in a derivative.
  const Input zero{{2}, Draw::fixed, 0.0};
  power.cases.push_back(make(
      {zero}, [](const auto& v) { return pow(v[0], 1); }, [](const auto& x) { return x[0]; }));
  power.cases.push_back(make(
      {zero}, [](const auto& v) { return pow(v[0], 2); }, [](const auto& x) { return x[0]; }));
  ops.push_back(std::move(power));
  ops.push_back(unary(
      "square", "x times x", Draw::normal, [](const auto& v) { return square(v[0]); }, [](double x) { return x * x; }));
  ops.push_back(unary(
      "exp", "e to the x", Draw::normal, [](const auto& v) { return exp(v[0]); },
      [](double x) { return std::exp(x); }));
  ops.push_back(unary(
      "log", "natural logarithm, x > 0", Draw::positive, [](const auto& v) { return log(v[0]); },
      [](double x) { return std::log(x); }));
  ops.push_back(unary(
      "sqrt", "square root, x > 0", Draw::positive, [](const auto& v) { return sqrt(v[0]); },
      [](double x) { return std::sqrt(x); }));
  ops.push_back(unary(
      "abs", "absolute value; the derivative at 0 is 0", Draw::nonzero, [](const auto& v) { return abs(v[0]); },
      [](double x) { return x < 0 ? -x : x; }));
  Op mapped = unary("map", "any function of one number, with its derivative (here: x / (1 + exp(-x)))", Draw::normal,
                    swish, [](double x) { return x / (1 + std::exp(-x)); });
  mapped.arguments = "functor, x, derivative";
  ops.push_back(std::move(mapped));

  ops.push_back(
      {.name = "sum_to",
       .arguments = "x, shape",
       .meaning = "sums over the axes in which `shape` has extent 1 or that it lacks; adjoint of repeat_to",
       .gradients = "x",
       .cases = {to_shape(true, {2, 3, 4}, {1}), to_shape(true, {2, 3, 4}, {4}), to_shape(true, {2, 3, 4}, {2, 1, 4}),
                 to_shape(true, {2, 3, 4}, {1, 3, 1}), to_shape(true, {2, 2, 3, 2, 2}, {2, 1, 3, 1, 2}),
                 to_shape(true, {2, 3}, {2, 3}), to_shape(true, {1, 1, 3}, {3}), to_shape(true, {2, 3, 1}, {2, 1, 1})},
       .random =
           [](Random& r) {
             const Shape shape = random_shape(r, 1 + static_cast<int>(r.below(5)), 4);
             return to_shape(true, shape, narrower(shape, r));
           },
       .large = to_shape(true, {7, 4003, 3}, {3}),
       .refused = {{"sum_to: (2, 1) cannot be summed to (2, 3)",
                    [] {
                      (void)sum_to(zeros({2, 1}), {2, 3});
                    }},
                   {"sum_to: shapes (2, 3) and (3, 3)", [] {
                      (void)sum_to(zeros({2, 3}), {3, 3});
                    }}}});
  ops.push_back(
      {.name = "repeat_to",
       .arguments = "x, shape",
       .meaning = "repeats along the axes in which x has extent 1 or that it lacks; adjoint of sum_to",
       .gradients = "x",
       .cases = {to_shape(false, {1}, {2, 3}), to_shape(false, {4}, {2, 3, 4}), to_shape(false, {2, 1, 4}, {2, 3, 4}),
                 to_shape(false, {2, 1, 3, 1, 2}, {2, 2, 3, 2, 2}), to_shape(false, {2, 3}, {2, 3})},
       .random =
           [](Random& r) {
             const Shape shape = random_shape(r, 1 + static_cast<int>(r.below(5)), 4);
             return to_shape(false, narrower(shape, r), shape);
           },
       .large = to_shape(false, {90, 1, 3}, {90, 300, 3}),
       .refused = {{"repeat_to: (2, 3) cannot be repeated to (2, 1)",
                    [] {
                      (void)repeat_to(zeros({2, 3}), {2, 1});
                    }},
                   {"repeat_to: shapes (2, 3) and (2, 4)", [] {
                      (void)repeat_to(zeros({2, 3}), {2, 4});
                    }}}});
  return ops;
}

}  // namespace limn::table

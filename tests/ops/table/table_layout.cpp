// Rows of the table of operations: layout.
#include "limn/ops/layout.hpp"

#include <numeric>

#include "table.hpp"

namespace limn::table {
namespace {

using Places = Tensor<CpuOf<std::int32_t>>;

Case reshape_case(const Shape& from, const Shape& to) {
  return make(
      {{from}}, [=](const auto& v) { return reshape(v[0], to); },
      [=](const auto& x) { return Array(to, x[0].span()); });
}

Case permute_case(const Shape& shape, const std::vector<int>& order) {
  return make(
      {{shape}}, [=](const auto& v) { return permute(v[0], order); },
      [=](const auto& x) { return reference::permute(x[0], order); });
}

Case slice_case(const Shape& shape, int axis, Index begin, Index length) {
  return make(
      {{shape}}, [=](const auto& v) { return slice(v[0], axis, begin, length); },
      [=](const auto& x) {
        const auto a = static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis);
        Shape to = shape;
        to[static_cast<int>(a)] = length;
        Array y(to);
        reference::each(to, [&](const reference::Place& p) {
          reference::Place q = p;
          q[a] += begin;
          reference::at(y, p, to.rank()) = reference::at(x[0], q, to.rank());
        });
        return y;
      });
}

Case embed_case(const Shape& shape, int axis, Index begin, Index extent) {
  return make(
      {{shape}}, [=](const auto& v) { return embed(v[0], axis, begin, extent); },
      [=](const auto& x) {
        const auto a = static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis);
        Shape to = shape;
        to[static_cast<int>(a)] = extent;
        Array y(to, 0.0);
        reference::each(shape, [&](const reference::Place& p) {
          reference::Place q = p;
          q[a] += begin;
          reference::at(y, q, to.rank()) = reference::at(x[0], p, to.rank());
        });
        return y;
      });
}

/// Tensors of `shape` whose extents along `axis` are `extents`.
Case concat_case(const Shape& shape, int axis, const std::vector<Index>& extents) {
  const int a = axis < 0 ? axis + shape.rank() : axis;
  std::vector<Input> inputs;
  Shape to = shape;
  to[a] = 0;
  for (Index extent : extents) {
    inputs.push_back({shape});
    inputs.back().shape[a] = extent;
    to[a] += extent;
  }
  return make(
      inputs, [=](const auto& v) { return concat(v, axis); },
      [=](const auto& x) {
        Array y(to);
        Index begin = 0;
        for (const auto& part : x) {
          reference::each(part.shape(), [&](reference::Place p) {
            const double value = reference::at(part, p, to.rank());
            p[static_cast<std::size_t>(a)] += begin;
            reference::at(y, p, to.rank()) = value;
          });
          begin += part.shape()[a];
        }
        return y;
      });
}

Places places(const Shape& shape, const std::vector<std::int32_t>& numbers) { return {shape, std::span(numbers)}; }

Case take_case(const Shape& shape, const Places& at, Index groups = 1) {
  return make(
      {{shape}}, [=](const auto& v) { return take(v[0], at, groups); },
      [=](const auto& x) {
        Array y(at.shape());
        for (Index i = 0; i < at.size(); ++i) y.data()[i] = x[0].data()[at.data()[i]];
        return y;
      });
}

Case scatter_case(const Places& at, const Shape& to, Index groups = 1) {
  return make(
      {{at.shape()}}, [=](const auto& v) { return scatter_add(v[0], at, to, groups); },
      [=](const auto& x) {
        Array y(to, 0.0);
        for (Index i = 0; i < at.size(); ++i) y.data()[at.data()[i]] += x[0].data()[i];
        return y;
      });
}

/// Random positions in a tensor of `size` elements, the same number of them in each of `groups` parts.
Places random_places(const Shape& shape, Index size, Index groups, Random& r) {
  Places at(shape);
  const Index part = size / groups;
  for (Index i = 0; i < at.size(); ++i)
    at.data()[i] = static_cast<std::int32_t>(i / (at.size() / groups) * part + r.below(part));
  return at;
}

int random_rank(Random& r) { return 1 + static_cast<int>(r.below(5)); }

}  // namespace

std::vector<Op> layout() {
  std::vector<Op> ops;
  Op reshaped{.name = "reshape",
              .arguments = "x, shape (one extent may be -1)",
              .meaning = "the same numbers under another shape, no copy",
              .gradients = "x",
              .cases = {reshape_case({2, 3, 4}, {6, 4}), reshape_case({24}, {1, 2, 3, 4, 1})},
              .random =
                  [](Random& r) {
                    Shape from = random_shape(r, random_rank(r), 4), to = from;
                    for (int i = 0; i < to.rank(); ++i) to[i] = from[to.rank() - 1 - i];
                    return reshape_case(from, to);
                  },
              .large = reshape_case({200, 300}, {300, 200}),
              .refused = {{"reshape: (2, 3) has 6 elements, (4) has 4",
                           [] {
                             (void)reshape(zeros({2, 3}), Shape{4});
                           }},
                          {"reshape: (2, 3) has 6 elements and cannot become (4, 1)",
                           [] {
                             (void)reshape(zeros({2, 3}), {4, -1});
                           }},
                          {"cannot become", [] {
                             (void)reshape(zeros({2, 3}), {-1, -1});
                           }}}};
  reshaped.cases.push_back(make(
      {{{2, 3, 4}}},
      [](const auto& v) {
        return reshape(v[0], {3, -1});
      },
      [](const auto& x) {
        return Array(Shape{3, 8}, x[0].span());
      }));
  ops.push_back(std::move(reshaped));

  const auto flat = [](const Shape& from) {
    return make(
        {{from}}, [](const auto& v) { return flatten(v[0]); },
        [=](const auto& x) {
          return Array(Shape{from[0], from.product(1, from.rank())}, x[0].span());
        });
  };
  ops.push_back({.name = "flatten",
                 .arguments = "x (n, ...)",
                 .meaning = "(n, everything else)",
                 .gradients = "x",
                 .cases = {flat({2, 3, 4}), flat({3}), flat({2, 1, 2, 1, 3})},
                 .random = [flat](Random& r) { return flat(random_shape(r, random_rank(r), 4)); },
                 .large = flat({20, 30, 70}),
                 .refused = {{"flatten: empty tensor", [] { (void)flatten(Var<Cpu>()); }}}});
  ops.push_back({.name = "permute",
                 .arguments = "x, order",
                 .meaning = "axes in another order: axis i of the result is axis order[i] of x",
                 .gradients = "x",
                 .cases = {permute_case({2, 3}, {1, 0}), permute_case({2, 3, 4}, {2, 0, 1}),
                           permute_case({2, 3, 4, 2}, {0, 3, 1, 2}), permute_case({2, 1, 3, 2, 2}, {4, 2, 0, 1, 3}),
                           permute_case({5}, {0})},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 4);
                       std::vector<int> order(static_cast<std::size_t>(shape.rank()));
                       std::iota(order.begin(), order.end(), 0);
                       for (std::size_t i = order.size(); i > 1; --i)
                         std::swap(order[i - 1], order[static_cast<std::size_t>(r.below(static_cast<Index>(i)))]);
                       return permute_case(shape, order);
                     },
                 .large = permute_case({30, 40, 50}, {2, 0, 1}),
                 .refused = {{"permute: the order must name each axis of (2, 3) once",
                              [] {
                                (void)permute(zeros({2, 3}), {0, 0});
                              }},
                             {"each axis of (2, 3) once",
                              [] {
                                (void)permute(zeros({2, 3}), {0});
                              }},
                             {"each axis of (2, 3) once", [] {
                                (void)permute(zeros({2, 3}), {0, 2});
                              }}}});
  const auto turned = [](Index h, Index w) {
    return make(
        {{{h, w}}}, [](const auto& v) { return transpose(v[0]); },
        [](const auto& x) {
          return reference::permute(x[0], {1, 0});
        });
  };
  ops.push_back({.name = "transpose",
                 .arguments = "x (h, w)",
                 .meaning = "rows and columns exchanged",
                 .gradients = "x",
                 .cases = {turned(2, 3), turned(1, 4)},
                 .random = [turned](Random& r) { return turned(1 + r.below(6), 1 + r.below(6)); },
                 .large = turned(200, 300),
                 .refused = {{"transpose: expected a matrix, got (2, 3, 4)", [] {
                                (void)transpose(zeros({2, 3, 4}));
                              }}}});
  ops.push_back({.name = "slice",
                 .arguments = "x, axis, begin, length",
                 .meaning = "elements [begin, begin + length) along an axis; adjoint of embed",
                 .gradients = "x",
                 .cases = {slice_case({5}, 0, 1, 3), slice_case({4, 3, 2}, 0, 2, 2), slice_case({2, 4, 3}, 1, 0, 1),
                           slice_case({2, 4, 3}, -1, 1, 2), slice_case({2, 3}, 1, 0, 3)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 5);
                       const auto axis = static_cast<int>(r.below(shape.rank()));
                       const Index begin = r.below(shape[axis]);
                       return slice_case(shape, axis, begin, 1 + r.below(shape[axis] - begin));
                     },
                 .large = slice_case({200, 300}, 1, 10, 250),
                 .refused = {{"slice: [2, 5) of axis 1 of (2, 4)",
                              [] {
                                (void)slice(zeros({2, 4}), 1, 2, 3);
                              }},
                             {"slice: [-1, 1)",
                              [] {
                                (void)slice(zeros({2, 4}), 1, -1, 2);
                              }},
                             {"slice: axis 2 of a tensor of shape (2, 4)", [] {
                                (void)slice(zeros({2, 4}), 2, 0, 1);
                              }}}});
  ops.push_back({.name = "embed",
                 .arguments = "x, axis, begin, extent",
                 .meaning = "x among zeros, from `begin` of `extent` along an axis; adjoint of slice",
                 .gradients = "x",
                 .cases = {embed_case({3}, 0, 1, 5), embed_case({2, 3}, 0, 0, 4), embed_case({2, 1, 3}, 1, 3, 4),
                           embed_case({2, 3}, -1, 2, 5)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 4);
                       const auto axis = static_cast<int>(r.below(shape.rank()));
                       const Index begin = r.below(3);
                       return embed_case(shape, axis, begin, begin + shape[axis] + r.below(3));
                     },
                 .large = embed_case({200, 200}, 1, 50, 300),
                 .refused = {{"embed: (2, 4) at 2 of 5 along axis 1",
                              [] {
                                (void)embed(zeros({2, 4}), 1, 2, 5);
                              }},
                             {"embed: axis 3", [] {
                                (void)embed(zeros({2, 4}), 3, 0, 5);
                              }}}});
  ops.push_back({.name = "concat",
                 .arguments = "tensors, axis",
                 .meaning = "one after the other along an axis; all other extents equal",
                 .gradients = "every tensor",
                 .cases = {concat_case({2, 3}, 1, {3, 4}), concat_case({2, 3, 2}, 0, {2, 1, 3}),
                           concat_case({2, 2, 2, 3}, -1, {1, 2}), concat_case({4}, 0, {4})},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 3);
                       std::vector<Index> extents;
                       for (Index i = 1 + r.below(3); i > 0; --i) extents.push_back(1 + r.below(3));
                       return concat_case(shape, static_cast<int>(r.below(shape.rank())), extents);
                     },
                 .large = concat_case({200, 100}, 1, {100, 150}),
                 .refused = {{"concat: nothing to join", [] { (void)concat(std::vector<Var<Cpu>>{}, 0); }},
                             {"concat along axis 1: shapes (2, 3) and (3, 3) do not go together",
                              [] {
                                (void)concat(std::vector{zeros({2, 3}), zeros({3, 3})}, 1);
                              }},
                             {"shapes (2, 3) and (2, 3, 1)", [] {
                                (void)concat(std::vector{zeros({2, 3}), zeros({2, 3, 1})}, 1);
                              }}}});

  Random fixed(Seed{17});
  ops.push_back({.name = "take",
                 .arguments = "x, positions (counted flat), groups",
                 .meaning = "the elements at these positions; adjoint of scatter_add",
                 .gradients = "x",
                 .cases = {take_case({2, 3}, places({4}, {5, 0, 5, 2})), take_case({6}, places({2, 1}, {1, 1})),
                           take_case({2, 4}, places({2, 2}, {3, 0, 4, 7}), 2)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 4);
                       return take_case(shape, random_places(random_shape(r, 2, 5), shape.size(), 1, r));
                     },
                 .large = take_case({4, 9000}, random_places({4, 8000}, 36000, 4, fixed), 4),
                 .refused = {{"take: position 6 of 6 elements",
                              [] {
                                (void)take(zeros({2, 3}), places({1}, {6}));
                              }},
                             {"take: position -1",
                              [] {
                                (void)take(zeros({2, 3}), places({1}, {-1}));
                              }},
                             {"take: position 3 lies outside its group",
                              [] {
                                (void)take(zeros({2, 3}), places({2}, {3, 4}), 2);
                              }},
                             {"take: 3 positions and 6 elements in 2 groups",
                              [] {
                                (void)take(zeros({2, 3}), places({3}, {0, 1, 2}), 2);
                              }},
                             {"in 0 groups", [] {
                                (void)take(zeros({2, 3}), places({1}, {0}), 0);
                              }}}});
  ops.push_back({.name = "scatter_add",
                 .arguments = "values, positions (counted flat), shape, groups",
                 .meaning = "values added at these positions of a tensor of zeros; adjoint of take",
                 .gradients = "values",
                 .cases = {scatter_case(places({4}, {5, 0, 5, 2}), {2, 3}),
                           scatter_case(places({2, 2}, {3, 0, 4, 7}), {2, 4}, 2)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 4);
                       return scatter_case(random_places(random_shape(r, 2, 5), shape.size(), 1, r), shape);
                     },
                 .large = scatter_case(random_places({4, 8000}, 36000, 4, fixed), {4, 9000}, 4),
                 .refused = {{"scatter_add: values (3), positions (2)",
                              [] {
                                (void)scatter_add(zeros({3}), places({2}, {0, 1}), {4});
                              }},
                             {"scatter_add: position 4 of 4 elements",
                              [] { (void)scatter_add(zeros({1}), places({1}, {4}), {4}); }},
                             {"scatter_add: position 2 lies outside its group", [] {
                                (void)scatter_add(zeros({2}), places({2}, {2, 3}), {4}, 2);
                              }}}});

  return ops;
}

}  // namespace limn::table

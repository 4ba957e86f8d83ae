// Rows of the table of operations: sums, means, largest elements.
#include "limn/ops/reduce.hpp"

#include "table.hpp"

namespace limn::table {
namespace {

Case reduce_case(const Shape& shape, const std::vector<int>& axes, bool average) {
  Shape to = shape;
  for (int axis : axes) to[axis < 0 ? axis + shape.rank() : axis] = 1;
  const double factor = average ? static_cast<double>(to.size()) / static_cast<double>(shape.size()) : 1.0;
  const auto expected = [=](const auto& x) { return reference::scaled(reference::sum_to(x[0], to), factor); };
  if (average)
    return make(
        {{shape}}, [=](const auto& v) { return mean(v[0], axes); }, expected);
  return make(
      {{shape}}, [=](const auto& v) { return sum(v[0], axes); }, expected);
}

Case total_case(const Shape& shape, bool average) {
  const double factor = average ? 1 / static_cast<double>(shape.size()) : 1.0;
  const auto expected = [=](const auto& x) { return reference::scaled(reference::sum_to(x[0], {1}), factor); };
  if (average)
    return make(
        {{shape}}, [](const auto& v) { return mean(v[0]); }, expected);
  return make(
      {{shape}}, [](const auto& v) { return sum(v[0]); }, expected);
}

Case average_case(const Shape& x) {
  const Shape to{x[0], 1, 1, x[3]};
  return make(
      {{x}}, [](const auto& v) { return global_average(v[0]); },
      [=](const auto& in) {
        return reference::scaled(reference::sum_to(in[0], to), 1 / static_cast<double>(x[1] * x[2]));
      });
}

/// The k largest of every row, by sorting it whole. k = 0 stands for max().
Case largest_case(const Shape& shape, Index k) {
  const auto expected = [=](const auto& x) {
    const Index c = shape.back(), kept = std::max<Index>(k, 1);
    Shape to = shape;
    to[to.rank() - 1] = kept;
    Array y(to);
    for (Index row = 0; row < shape.size() / c; ++row) {
      std::vector<double> sorted(x[0].data() + row * c, x[0].data() + (row + 1) * c);
      std::sort(sorted.rbegin(), sorted.rend());
      std::copy_n(sorted.begin(), kept, y.data() + row * kept);
    }
    return y;
  };
  const Input x{shape, Draw::distinct};
  if (k == 0)
    return make(
        {x}, [](const auto& v) { return max(v[0]); }, expected);
  return make(
      {x}, [=](const auto& v) { return top_k(v[0], k); }, expected);
}

std::vector<int> random_axes(int rank, Random& r) {
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis)
    if (r.chance(0.5)) axes.push_back(r.chance(0.5) ? axis : axis - rank);
  return axes;
}
int random_rank(Random& r) { return 1 + static_cast<int>(r.below(5)); }

}  // namespace

std::vector<Op> reductions() {
  std::vector<Op> ops;
  ops.push_back({.name = "sum (axes)",
                 .arguments = "x, axes",
                 .meaning = "sum along these axes, which stay with extent 1",
                 .gradients = "x",
                 .cases = {reduce_case({2, 3, 4}, {1}, false), reduce_case({2, 3, 4}, {0, -1}, false),
                           reduce_case({2, 3}, {}, false), reduce_case({4}, {0}, false)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 5);
                       return reduce_case(shape, random_axes(shape.rank(), r), false);
                     },
                 .large = reduce_case({3, 5000, 5}, {1}, false),
                 .refused = {{"sum: axis 2 of a tensor of shape (2, 3)", [] {
                                (void)sum(zeros({2, 3}), {2});
                              }}}});
  ops.push_back({.name = "sum",
                 .arguments = "x",
                 .meaning = "sum of all elements, shape (1)",
                 .gradients = "x",
                 .cases = {total_case({2, 3, 4}, false), total_case({1}, false)},
                 .random = [](Random& r) { return total_case(random_shape(r, random_rank(r), 5), false); },
                 .large = total_case({3, 20011}, false)});
  ops.push_back({.name = "mean (axes)",
                 .arguments = "x, axes",
                 .meaning = "mean along these axes, which stay with extent 1",
                 .gradients = "x",
                 .cases = {reduce_case({2, 3, 4}, {1}, true), reduce_case({2, 3, 4}, {0, -1}, true)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 5);
                       return reduce_case(shape, random_axes(shape.rank(), r), true);
                     },
                 .large = reduce_case({3, 5000, 5}, {0, 1}, true),
                 .refused = {{"sum: axis -3 of a tensor of shape (2, 3)",
                              [] {
                                (void)mean(zeros({2, 3}), {-3});
                              }},
                             {"mean: nothing to average in a tensor of shape (0, 3)", [] {
                                (void)mean(zeros({0, 3}), {1});
                              }}}});
  ops.push_back({.name = "mean",
                 .arguments = "x",
                 .meaning = "mean of all elements, shape (1)",
                 .gradients = "x",
                 .cases = {total_case({2, 3, 4}, true), total_case({1}, true)},
                 .random = [](Random& r) { return total_case(random_shape(r, random_rank(r), 5), true); },
                 .large = total_case({3, 20011}, true),
                 .refused = {{"mean: nothing to average in a tensor of shape (0, 3)", [] {
                                (void)mean(zeros({0, 3}));
                              }}}});
  ops.push_back({.name = "global_average",
                 .arguments = "x (n, h, w, c)",
                 .meaning = "mean over height and width, (n, 1, 1, c)",
                 .gradients = "x",
                 .cases = {average_case({2, 3, 4, 2}), average_case({1, 1, 1, 3})},
                 .random = [](Random& r) { return average_case(random_shape(r, 4, 4)); },
                 .large = average_case({2, 64, 64, 3}),
                 .refused = {{"global_average: expected (n, h, w, c), got (2, 3)", [] {
                                (void)global_average(zeros({2, 3}));
                              }}}});
  ops.push_back({.name = "max",
                 .arguments = "x (..., c)",
                 .meaning = "largest element along the last axis; the gradient goes to the first of equals",
                 .gradients = "x",
                 .cases = {largest_case({2, 5}, 0), largest_case({7}, 0), largest_case({2, 3, 1}, 0)},
                 .random = [](Random& r) { return largest_case(random_shape(r, random_rank(r), 4), 0); },
                 .large = largest_case({300, 200}, 0),
                 .refused = {{"max: nothing to choose from in shape (2, 0)", [] {
                                (void)max(zeros({2, 0}));
                              }}}});
  ops.push_back({.name = "top_k",
                 .arguments = "x (..., c), k",
                 .meaning = "the k largest along the last axis, largest first, ties by position",
                 .gradients = "x",
                 .cases = {largest_case({2, 5}, 2), largest_case({2, 5}, 5), largest_case({2, 2, 3}, 1)},
                 .random =
                     [](Random& r) {
                       const Shape shape = random_shape(r, random_rank(r), 5);
                       return largest_case(shape, 1 + r.below(shape.back()));
                     },
                 .large = largest_case({300, 200}, 20),
                 .refused = {{"top_k: 6 of the last axis of (2, 5)",
                              [] {
                                (void)top_k(zeros({2, 5}), 6);
                              }},
                             {"top_k: 0 of the last axis", [] {
                                (void)top_k(zeros({2, 5}), 0);
                              }}}});
  return ops;
}

}  // namespace limn::table

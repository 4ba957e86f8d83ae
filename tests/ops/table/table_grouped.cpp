// Rows of the table of operations: depthwise and grouped convolution.
#include "limn/ops/depthwise.hpp"
#include "limn/ops/grouped.hpp"
#include "table.hpp"

namespace limn::table {
namespace {

/// An image, a weight and a window that go together; depthwise where there are as many groups as channels.
struct Grouped {
  Shape x, w;
  Window win;
  Index groups;

  Grouped(const Shape& image, const Shape& weight, Window how, Index count)
      : x(image), w(weight), win(how), groups(count) {
    win.kernel_h = w[1];
    win.kernel_w = w[2];
  }
  [[nodiscard]] Shape y() const { return {x[0], reference::out_h(x, win), reference::out_w(x, win), w[0]}; }
};

Window moved(Index stride_h, Index stride_w, Index pad_h, Index pad_w) {
  return {1, 1, stride_h, stride_w, pad_h, pad_w};
}

Grouped every_channel(const Shape& x, Index kernel_h, Index kernel_w, const Window& how) {
  return {x, {x[3], kernel_h, kernel_w, 1}, how, x[3]};
}

std::vector<Grouped> depthwise() {
  return {every_channel({2, 5, 7, 3}, 3, 3, moved(1, 1, 1, 1)),   // the ordinary one
          every_channel({1, 3, 4, 17}, 3, 3, moved(1, 1, 1, 1)),  // channels that do not fill a register
          every_channel({1, 5, 4, 5}, 3, 3, moved(2, 2, 1, 1)),   // strided
          every_channel({2, 3, 4, 2}, 1, 1, moved(1, 1, 0, 0)),   // a factor for every channel
          every_channel({1, 7, 6, 2}, 5, 5, moved(1, 1, 2, 2)),
          every_channel({1, 4, 9, 2}, 2, 4, moved(1, 3, 0, 1)),   // nothing is square
          every_channel({1, 2, 3, 3}, 5, 3, moved(1, 1, 2, 1)),   // the kernel is higher than the image
          every_channel({1, 2, 3, 2}, 1, 2, moved(1, 2, 2, 2)),   // windows that lie outside the image
          every_channel({1, 7, 7, 1}, 2, 2, moved(3, 3, 0, 0))};  // gaps between windows
}

std::vector<Grouped> groups() {
  return {{{2, 4, 5, 4}, {6, 3, 3, 2}, moved(1, 1, 1, 1), 2},     // the ordinary one
          {{1, 4, 4, 6}, {6, 1, 1, 2}, moved(1, 1, 0, 0), 3},     // pointwise
          {{1, 5, 6, 3}, {6, 3, 2, 1}, moved(2, 1, 1, 0), 3},     // several results for every channel
          {{1, 3, 3, 12}, {6, 3, 3, 2}, moved(1, 1, 1, 1), 6},    // groups that are not joined by twos alone
          {{1, 3, 3, 36}, {36, 2, 2, 18}, moved(1, 1, 0, 0), 2},  // too wide to be joined
          {{1, 4, 3, 2}, {3, 3, 3, 2}, moved(1, 1, 1, 1), 1}};    // one group
}

Grouped random_depthwise(Random& r) {
  while (true) {
    const Grouped out = every_channel({1 + r.below(2), 1 + r.below(7), 1 + r.below(9), 1 + r.below(9)}, 1 + r.below(4),
                                      1 + r.below(4), moved(1 + r.below(3), 1 + r.below(3), r.below(4), r.below(4)));
    if (out.y()[1] > 0 && out.y()[2] > 0) return out;
  }
}
Grouped random_groups(Random& r) {
  while (true) {
    const Index count = 1 + r.below(4), c = 1 + r.below(3);
    const Grouped out({1 + r.below(2), 1 + r.below(6), 1 + r.below(6), count * c},
                      {count * (1 + r.below(3)), 1 + r.below(3), 1 + r.below(3), c},
                      moved(1 + r.below(3), 1 + r.below(3), r.below(3), r.below(3)), count);
    if (out.y()[1] > 0 && out.y()[2] > 0) return out;
  }
}

template <class F>
Case forward(const Grouped& k, const F& f) {
  return make({{k.x}, {k.w}}, f,
              [=](const auto& in) { return reference::grouped_conv2d(in[0], in[1], k.win, k.groups); });
}
template <class F>
Case to_input(const Grouped& k, const F& f) {
  return make({{k.y()}, {k.w}}, f,
              [=](const auto& in) { return reference::grouped_conv2d_input(in[0], in[1], k.x, k.win, k.groups); });
}
template <class F>
Case to_weight(const Grouped& k, const F& f) {
  return make({{k.x}, {k.y()}}, f,
              [=](const auto& in) { return reference::grouped_conv2d_weight(in[0], in[1], k.w, k.win, k.groups); });
}

Case depthwise_forward(const Grouped& k) {
  return forward(k, [=](const auto& v) { return depthwise_conv2d(v[0], v[1], k.win); });
}
Case depthwise_to_input(const Grouped& k) {
  return to_input(k, [=](const auto& v) { return depthwise_conv2d_input(v[0], v[1], k.x, k.win); });
}
Case depthwise_to_weight(const Grouped& k) {
  return to_weight(k, [=](const auto& v) { return depthwise_conv2d_weight(v[0], v[1], k.w, k.win); });
}
Case grouped_forward(const Grouped& k) {
  return forward(k, [=](const auto& v) { return grouped_conv2d(v[0], v[1], k.win, k.groups); });
}
Case grouped_to_input(const Grouped& k) {
  return to_input(k, [=](const auto& v) { return grouped_conv2d_input(v[0], v[1], k.x, k.win, k.groups); });
}
Case grouped_to_weight(const Grouped& k) {
  return to_weight(k, [=](const auto& v) { return grouped_conv2d_weight(v[0], v[1], k.w, k.win, k.groups); });
}

/// A row whose cases are made by `f` of the items.
Op row(Op op, const std::vector<Grouped>& items, Case (*f)(const Grouped&), Grouped (*random)(Random&),
       const Grouped& large) {
  for (const Grouped& item : items) op.cases.push_back(f(item));
  op.random = [=](Random& r) { return f(random(r)); };
  op.large = f(large);
  return op;
}

/// A refused call of one of the functions, f(zeros, zeros).
template <class F>
Refused refused(std::string message, const Shape& a, const Shape& b, const F& f) {
  return {std::move(message), [=] { (void)f(zeros(a), zeros(b)); }};
}

}  // namespace

std::vector<Op> grouped() {
  std::vector<Op> ops;
  const Window same = Window::square(3, 1, 1);
  const Grouped large_depthwise = every_channel({3, 40, 40, 24}, 3, 3, moved(1, 1, 1, 1));
  const Grouped large_groups({3, 40, 40, 16}, {8, 3, 3, 4}, moved(1, 1, 1, 1), 4);

  const auto depth = [=](const auto& x, const auto& w) { return depthwise_conv2d(x, w, same); };
  ops.push_back(
      row({.name = "depthwise_conv2d",
           .arguments = "x (n, h, w, c), weight (c, kernel_h, kernel_w, 1), window",
           .meaning = "cross-correlation of every channel with its own window (torch: conv2d, groups = c)",
           .gradients = "x, weight",
           .refused = {refused("depthwise_conv2d: expected a weight (c, kernel_h, kernel_w, 1), got (3, 3, 3, 2)",
                               {1, 5, 5, 3}, {3, 3, 3, 2}, depth),
                       refused("depthwise_conv2d: expected a weight (c, kernel_h, kernel_w, 1), got (3, 1)",
                               {1, 5, 5, 3}, {3, 1}, depth),
                       refused("depthwise_conv2d: input has 3 channels, expected 4 (input (1, 5, 5, 3), weight "
                               "(4, 3, 3, 1))",
                               {1, 5, 5, 3}, {4, 3, 3, 1}, depth),
                       refused("depthwise_conv2d: expected an image (n, h, w, c), got (5, 5, 3)", {5, 5, 3},
                               {3, 3, 3, 1}, depth),
                       refused("depthwise_conv2d: input (1, 2, 5, 3) is smaller than the window 5 x 3", {1, 2, 5, 3},
                               {3, 5, 3, 1}, depth)}},
          depthwise(), depthwise_forward, random_depthwise, large_depthwise));
  const auto depth_input = [=](const auto& y, const auto& w) {
    return depthwise_conv2d_input(y, w, {1, 5, 5, 3}, same);
  };
  ops.push_back(row({.name = "depthwise_conv2d_input",
                     .arguments = "y (n, out_h, out_w, c), weight, shape of x, window",
                     .meaning = "adjoint of depthwise_conv2d in x",
                     .gradients = "y, weight",
                     .refused = {refused("depthwise_conv2d_input: (1, 4, 5, 3) and weight (3, 3, 3, 1) do not lead to "
                                         "(1, 5, 5, 3)",
                                         {1, 4, 5, 3}, {3, 3, 3, 1}, depth_input),
                                 refused("weight (3, 3, 3, 3) do not lead to (1, 5, 5, 3)", {1, 5, 5, 3}, {3, 3, 3, 3},
                                         depth_input)}},
                    depthwise(), depthwise_to_input, random_depthwise, large_depthwise));
  const auto depth_weight = [=](const auto& x, const auto& y) {
    return depthwise_conv2d_weight(x, y, {3, 3, 3, 1}, same);
  };
  ops.push_back(row({.name = "depthwise_conv2d_weight",
                     .arguments = "x, y, shape of the weight, window",
                     .meaning = "adjoint of depthwise_conv2d in the weight",
                     .gradients = "x, y",
                     .refused = {refused("depthwise_conv2d_weight: (1, 5, 5, 3) and (1, 4, 5, 3) do not lead to "
                                         "(3, 3, 3, 1)",
                                         {1, 5, 5, 3}, {1, 4, 5, 3}, depth_weight),
                                 refused("do not lead to (3, 3, 3, 1)", {1, 5, 5, 4}, {1, 5, 5, 4}, depth_weight)}},
                    depthwise(), depthwise_to_weight, random_depthwise, large_depthwise));

  const auto two = [=](const auto& x, const auto& w) { return grouped_conv2d(x, w, same, 2); };
  ops.push_back(row(
      {.name = "grouped_conv2d",
       .arguments = "x (n, h, w, c), weight (k, kernel_h, kernel_w, c / groups), window, groups",
       .meaning = "cross-correlation; every group of results sees its own channels (torch: conv2d with groups)",
       .gradients = "x, weight",
       .refused = {refused("grouped_conv2d: expected a weight (k, kernel_h, kernel_w, c / groups), k a multiple of 2, "
                           "got (3, 3, 3, 2)",
                           {1, 5, 5, 4}, {3, 3, 3, 2}, two),
                   refused("grouped_conv2d: input has 5 channels, expected 2 groups of 2 (input (1, 5, 5, 5), weight "
                           "(4, 3, 3, 2))",
                           {1, 5, 5, 5}, {4, 3, 3, 2}, two),
                   refused("grouped_conv2d: expected an image (n, h, w, c), got (5, 5, 4)", {5, 5, 4}, {4, 3, 3, 2},
                           two)}},
      groups(), grouped_forward, random_groups, large_groups));
  const auto two_input = [=](const auto& y, const auto& w) {
    return grouped_conv2d_input(y, w, {1, 5, 5, 4}, same, 2);
  };
  ops.push_back(
      row({.name = "grouped_conv2d_input",
           .arguments = "y (n, out_h, out_w, k), weight, shape of x, window, groups",
           .meaning = "adjoint of grouped_conv2d in x",
           .gradients = "y, weight",
           .refused = {refused("grouped_conv2d_input: (1, 4, 5, 2) and weight (2, 3, 3, 2) in 2 groups do not "
                               "lead to (1, 5, 5, 4)",
                               {1, 4, 5, 2}, {2, 3, 3, 2}, two_input),
                       refused("in 2 groups do not lead to (1, 5, 5, 4)", {1, 5, 5, 2}, {2, 3, 3, 3}, two_input)}},
          groups(), grouped_to_input, random_groups, large_groups));
  const auto two_weight = [=](const auto& x, const auto& y) {
    return grouped_conv2d_weight(x, y, {2, 3, 3, 2}, same, 2);
  };
  ops.push_back(
      row({.name = "grouped_conv2d_weight",
           .arguments = "x, y, shape of the weight, window, groups",
           .meaning = "adjoint of grouped_conv2d in the weight",
           .gradients = "x, y",
           .refused = {refused("grouped_conv2d_weight: (1, 5, 5, 4) and (1, 4, 5, 2) in 2 groups do not lead to "
                               "(2, 3, 3, 2)",
                               {1, 5, 5, 4}, {1, 4, 5, 2}, two_weight),
                       refused("in 2 groups do not lead to (2, 3, 3, 2)", {1, 5, 5, 3}, {1, 5, 5, 2}, two_weight)}},
          groups(), grouped_to_weight, random_groups, large_groups));
  return ops;
}

}  // namespace limn::table

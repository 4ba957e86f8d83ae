// Rows of the table of operations: convolution, pooling, windows, resizing.
#include "limn/ops/conv.hpp"
#include "limn/ops/pool.hpp"
#include "limn/ops/resize.hpp"
#include "table.hpp"

namespace limn::table {
namespace {

/// An image, a weight and a window that go together; what the rows of the three convolutions are made from.
struct Convolution {
  Shape x, w;
  Window win;

  Convolution(const Shape& image, const Shape& weight, Window how) : x(image), w(weight), win(how) {
    win.kernel_h = w[1];
    win.kernel_w = w[2];
  }
  [[nodiscard]] Shape y() const { return {x[0], reference::out_h(x, win), reference::out_w(x, win), w[0]}; }
};

Window moved(Index stride_h, Index stride_w, Index pad_h, Index pad_w) {
  return {1, 1, stride_h, stride_w, pad_h, pad_w};
}

std::vector<Convolution> convolutions() {
  return {{{2, 5, 4, 3}, {4, 3, 3, 3}, moved(1, 1, 1, 1)},  // the ordinary one
          {{2, 3, 4, 5}, {3, 1, 1, 5}, moved(1, 1, 0, 0)},  // pointwise
          {{1, 5, 5, 2}, {3, 1, 1, 2}, moved(2, 2, 0, 0)},  // a shortcut with stride
          {{1, 9, 8, 2}, {2, 7, 7, 2}, moved(2, 2, 3, 3)},  // the stem of a ResNet
          {{1, 5, 6, 2}, {2, 3, 2, 2}, moved(2, 1, 0, 1)},  // nothing is square
          {{2, 4, 5, 1}, {1, 2, 5, 1}, moved(1, 3, 1, 2)},
          {{1, 2, 6, 2}, {2, 5, 3, 2}, moved(1, 1, 2, 0)},   // the kernel is higher than the image
          {{1, 3, 3, 2}, {2, 3, 3, 2}, moved(1, 1, 0, 0)},   // one window
          {{1, 7, 7, 1}, {1, 2, 2, 1}, moved(3, 3, 0, 0)}};  // gaps between windows
}

Convolution random_convolution(Random& r) {
  while (true) {
    const Index c = 1 + r.below(3);
    const Convolution out({1 + r.below(2), 1 + r.below(7), 1 + r.below(7), c},
                          {1 + r.below(3), 1 + r.below(4), 1 + r.below(4), c},
                          moved(1 + r.below(3), 1 + r.below(3), r.below(3), r.below(3)));
    if (out.y()[1] > 0 && out.y()[2] > 0) return out;
  }
}

Case forward(const Convolution& k) {
  return make(
      {{k.x}, {k.w}}, [=](const auto& v) { return conv2d(v[0], v[1], k.win); },
      [=](const auto& in) { return reference::conv2d(in[0], in[1], k.win); });
}
Case to_input(const Convolution& k) {
  return make(
      {{k.y()}, {k.w}}, [=](const auto& v) { return conv2d_input(v[0], v[1], k.x, k.win); },
      [=](const auto& in) { return reference::conv2d_input(in[0], in[1], k.x, k.win); });
}
Case to_weight(const Convolution& k) {
  return make(
      {{k.x}, {k.y()}}, [=](const auto& v) { return conv2d_weight(v[0], v[1], k.w, k.win); },
      [=](const auto& in) { return reference::conv2d_weight(in[0], in[1], k.w, k.win); });
}

/// For prediction: nothing can be differentiated.
Case scaled(const Convolution& k) {
  return make(
      {{k.x}, {k.w}, {{2, k.w[0]}}, {k.y()}},
      [=](const auto& v) { return conv2d_scaled_relu(v[0], v[1], k.win, v[2].value(), v[3]); },
      [=](const auto& in) {
        Array y = reference::conv2d(in[0], in[1], k.win);
        const Index c = k.w[0];
        for (Index i = 0; i < y.size(); ++i)
          y.data()[i] = std::max(0., y.data()[i] * in[2].data()[i % c] + in[2].data()[c + i % c] + in[3].data()[i]);
        return y;
      },
      4);
}

/// A window over an image; what the rows of pooling and unfolding are made from.
struct Pooling {
  Shape x;
  Window win;
  [[nodiscard]] Shape y() const { return reference::pooled(x, win); }
  [[nodiscard]] Shape rows() const { return {x[0], y()[1], y()[2], win.area(), x[3]}; }
};

std::vector<Pooling> poolings() {
  return {{{2, 6, 5, 3}, Window::square(3, 2, 1)}, {{1, 4, 4, 2}, Window::square(2, 2)},
          {{2, 5, 4, 1}, {2, 3, 1, 2, 1, 0}},      {{1, 5, 7, 2}, Window::square(2, 3)},
          {{1, 3, 4, 2}, {3, 4, 1, 1, 0, 0}},      {{1, 2, 6, 1}, {3, 3, 1, 2, 1, 1}}};
}

Pooling random_pooling(Random& r) {
  while (true) {
    Pooling out{{1 + r.below(2), 1 + r.below(6), 1 + r.below(6), 1 + r.below(3)},
                {1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 1 + r.below(3), 0, 0}};
    out.win.pad_h = r.below(out.win.kernel_h);
    out.win.pad_w = r.below(out.win.kernel_w);
    if (out.y()[1] > 0 && out.y()[2] > 0) return out;
  }
}
const Pooling large{{3, 60, 50, 8}, Window::square(3, 1, 1)};

Case max_pool(const Pooling& k) {
  return make(
      {{k.x, Draw::distinct}}, [=](const auto& v) { return max_pool2d(v[0], k.win); },
      [=](const auto& in) { return reference::max_pool2d(in[0], k.win); });
}
Case avg_pool(const Pooling& k) {
  return make(
      {{k.x}}, [=](const auto& v) { return avg_pool2d(v[0], k.win); },
      [=](const auto& in) { return reference::avg_pool2d(in[0], k.win); });
}
Case avg_pool_input(const Pooling& k) {
  return make(
      {{k.y()}}, [=](const auto& v) { return avg_pool2d_input(v[0], k.x, k.win); },
      [=](const auto& in) { return reference::avg_pool2d_input(in[0], k.x, k.win); });
}
Case unfold(const Pooling& k) {
  return make(
      {{k.x}}, [=](const auto& v) { return unfold2d(v[0], k.win, -1.5f); },
      [=](const auto& in) { return reference::unfold2d(in[0], k.win, -1.5); });
}
Case fold(const Pooling& k) {
  return make(
      {{k.rows()}}, [=](const auto& v) { return fold2d(v[0], k.x, k.win); },
      [=](const auto& in) { return reference::fold2d(in[0], k.x, k.win); });
}

Case resized(const Shape& x, Index h, Index w) {
  return make(
      {{x}}, [=](const auto& v) { return resize(v[0], h, w); },
      [=](const auto& in) {
        return reference::resize(in[0], h, w, reference::halves(x[1], h), reference::halves(x[2], w));
      });
}
Case resized_input(const Shape& x, Index h, Index w) {
  return make(
      {{{x[0], h, w, x[3]}}}, [=](const auto& v) { return resize_input(v[0], x); },
      [=](const auto& in) {
        return reference::resize_input(in[0], x, reference::halves(x[1], h), reference::halves(x[2], w));
      });
}
// Read where windows of 3 with stride 2 and padding 1 put the elements of a deeper map, and beyond both borders.
constexpr Sampling halved{0, .5}, doubled{-.75, 2};
Case sampled(const Shape& x, Index h, Index w) {
  return make(
      {{x}}, [=](const auto& v) { return resize(v[0], h, w, halved, doubled); },
      [=](const auto& in) { return reference::resize(in[0], h, w, halved, doubled); });
}
Case sampled_input(const Shape& x, Index h, Index w) {
  return make(
      {{{x[0], h, w, x[3]}}}, [=](const auto& v) { return resize_input(v[0], x, halved, doubled); },
      [=](const auto& in) { return reference::resize_input(in[0], x, halved, doubled); });
}

/// The same function on every item of a list.
template <class T, class F>
std::vector<Case> each_of(const std::vector<T>& items, const F& f) {
  std::vector<Case> out;
  for (const auto& item : items) out.push_back(f(item));
  return out;
}

/// What every function of an image and a window refuses; `call` runs the function.
std::vector<Refused> window_refusals(const std::string& name, const std::function<void(Shape, Window)>& call) {
  const auto on = [=](std::string message, const Shape& x, const Window& win) {
    return Refused{name + ": " + message, [=] { call(x, win); }};
  };
  return {on("expected an image (n, h, w, c), got (4, 4, 1)", {4, 4, 1}, Window::square(2)),
          on("input (1, 2, 5, 1) is smaller than the window 3 x 3 with padding 0, 0", {1, 2, 5, 1}, Window::square(3)),
          on("kernel and stride must be at least 1, padding at least 0", {1, 5, 5, 1}, Window::square(2, 0)),
          on("kernel and stride must be at least 1, padding at least 0", {1, 5, 5, 1}, Window::square(2, 1, -1)),
          on("nothing in an image of shape (0, 5, 5, 1)", {0, 5, 5, 1}, Window::square(2)),
          on("nothing in an image of shape (1, 5, 5, 0)", {1, 5, 5, 0}, Window::square(2))};
}

}  // namespace

std::vector<Op> image() {
  std::vector<Op> ops;
  const Convolution big({3, 40, 40, 8}, {8, 3, 3, 8}, moved(1, 1, 1, 1));
  const Window same = Window::square(3, 1, 1);
  Op conv{.name = "conv2d",
          .arguments = "x (n, h, w, c), weight (k, kernel_h, kernel_w, c), window",
          .meaning = "cross-correlation (torch: conv2d)",
          .gradients = "x, weight",
          .cases = each_of(convolutions(), forward),
          .random = [](Random& r) { return forward(random_convolution(r)); },
          .large = forward(big),
          .refused = window_refusals("conv2d", [](Shape x, Window win) {
            (void)conv2d(zeros(x), zeros({1, win.kernel_h, win.kernel_w, x.back()}), win);
          })};
  conv.refused.push_back({"conv2d: input has 3 channels, expected 4 (input (1, 5, 5, 3), weight (2, 3, 3, 4))", [] {
                            (void)conv2d(zeros({1, 5, 5, 3}), zeros({2, 3, 3, 4}));
                          }});
  conv.refused.push_back({"conv2d: expected a weight (k, kernel_h, kernel_w, c), got (3, 4)", [] {
                            (void)conv2d(zeros({1, 5, 5, 3}), zeros({3, 4}));
                          }});
  ops.push_back(std::move(conv));
  ops.push_back(
      {.name = "conv2d_scaled_relu",
       .arguments = "x, weight, window, scale and shift (2, k), add (n, out_h, out_w, k) or empty",
       .meaning = "relu(scale * conv2d + shift + add), for prediction: a constant",
       .gradients = "nothing",
       .cases = each_of(convolutions(), scaled),
       .random = [](Random& r) { return scaled(random_convolution(r)); },
       .large = scaled(big),
       .refused = {
           {"conv2d_scaled_relu: expected scale and shift of shape (2, 2), got (2)",
            [] {
              (void)conv2d_scaled_relu(zeros({1, 5, 5, 3}), zeros({2, 3, 3, 3}), {}, Tensor<Cpu>(Shape{2}, 1.f));
            }},
           {"conv2d_scaled_relu: cannot add (1, 5, 5, 2) to (1, 3, 3, 2)",
            [] {
              (void)conv2d_scaled_relu(zeros({1, 5, 5, 3}), zeros({2, 3, 3, 3}), {}, Tensor<Cpu>(Shape{2, 2}, 1.f),
                                       zeros({1, 5, 5, 2}));
            }},
           {"conv2d: input has 3 channels, expected 4", [] {
              (void)conv2d_scaled_relu(zeros({1, 5, 5, 3}), zeros({2, 3, 3, 4}), {}, Tensor<Cpu>(Shape{2, 2}, 1.f));
            }}}});
  ops.push_back({.name = "conv2d_input",
                 .arguments = "y (n, out_h, out_w, k), weight, shape of x, window",
                 .meaning = "adjoint of conv2d in x: transposed convolution",
                 .gradients = "y, weight",
                 .cases = each_of(convolutions(), to_input),
                 .random = [](Random& r) { return to_input(random_convolution(r)); },
                 .large = to_input(big),
                 .refused = {{"conv2d_input: (1, 4, 5, 2) and weight (2, 3, 3, 3) do not lead to (1, 5, 5, 3)",
                              [=] {
                                (void)conv2d_input(zeros({1, 4, 5, 2}), zeros({2, 3, 3, 3}), {1, 5, 5, 3}, same);
                              }},
                             {"conv2d_input: (1, 5, 5, 2) and weight (2, 3, 3, 4) do not lead to (1, 5, 5, 3)",
                              [=] {
                                (void)conv2d_input(zeros({1, 5, 5, 2}), zeros({2, 3, 3, 4}), {1, 5, 5, 3}, same);
                              }},
                             {"conv2d_input: expected an image", [=] {
                                (void)conv2d_input(zeros({1, 5, 5, 2}), zeros({2, 3, 3, 3}), {5, 5, 3}, same);
                              }}}});
  ops.push_back({.name = "conv2d_weight",
                 .arguments = "x, y, shape of the weight, window",
                 .meaning = "adjoint of conv2d in the weight",
                 .gradients = "x, y",
                 .cases = each_of(convolutions(), to_weight),
                 .random = [](Random& r) { return to_weight(random_convolution(r)); },
                 .large = to_weight(big),
                 .refused = {{"conv2d_weight: (1, 5, 5, 3) and (1, 4, 5, 2) do not lead to (2, 3, 3, 3)",
                              [=] {
                                (void)conv2d_weight(zeros({1, 5, 5, 3}), zeros({1, 4, 5, 2}), {2, 3, 3, 3}, same);
                              }},
                             {"do not lead to (2, 3, 3, 4)", [=] {
                                (void)conv2d_weight(zeros({1, 5, 5, 3}), zeros({1, 5, 5, 2}), {2, 3, 3, 4}, same);
                              }}}});

  Op largest{.name = "max_pool2d",
             .arguments = "x (n, h, w, c), window",
             .meaning = "largest element of every window; padding never wins",
             .gradients = "x",
             .fused = true,
             .cases = each_of(poolings(), max_pool),
             .random = [](Random& r) { return max_pool(random_pooling(r)); },
             .large = max_pool(large),
             .refused = window_refusals("max_pool2d", [](Shape x, Window win) { (void)max_pool2d(zeros(x), win); })};
  largest.refused.push_back({"max_pool2d: padding must be smaller than the window", [] {
                               (void)max_pool2d(zeros({1, 5, 5, 1}), Window::square(2, 2, 2));
                             }});
  ops.push_back(std::move(largest));
  ops.push_back(
      {.name = "avg_pool2d",
       .arguments = "x (n, h, w, c), window",
       .meaning = "mean of every window; padding counts as zeros",
       .gradients = "x",
       .cases = each_of(poolings(), avg_pool),
       .random = [](Random& r) { return avg_pool(random_pooling(r)); },
       .large = avg_pool(large),
       .refused = window_refusals("avg_pool2d", [](Shape x, Window win) { (void)avg_pool2d(zeros(x), win); })});
  ops.push_back({.name = "avg_pool2d_input",
                 .arguments = "y (n, out_h, out_w, c), shape of x, window",
                 .meaning = "adjoint of avg_pool2d",
                 .gradients = "y",
                 .cases = each_of(poolings(), avg_pool_input),
                 .random = [](Random& r) { return avg_pool_input(random_pooling(r)); },
                 .large = avg_pool_input(large),
                 .refused = {{"avg_pool2d_input: (1, 2, 2, 1) does not lead to (1, 5, 5, 1)", [] {
                                (void)avg_pool2d_input(zeros({1, 2, 2, 1}), {1, 5, 5, 1}, Window::square(2));
                              }}}});
  ops.push_back({.name = "unfold2d",
                 .arguments = "x (n, h, w, c), window, padding",
                 .meaning = "every window as an axis of its own: (n, out_h, out_w, area, c)",
                 .gradients = "x",
                 .cases = each_of(poolings(), unfold),
                 .random = [](Random& r) { return unfold(random_pooling(r)); },
                 .large = unfold(large),
                 .refused = window_refusals("unfold2d", [](Shape x, Window win) { (void)unfold2d(zeros(x), win); })});
  ops.push_back({.name = "fold2d",
                 .arguments = "rows (n, out_h, out_w, area, c), shape of x, window",
                 .meaning = "adds every window back into an image; adjoint of unfold2d",
                 .gradients = "rows",
                 .cases = each_of(poolings(), fold),
                 .random = [](Random& r) { return fold(random_pooling(r)); },
                 .large = fold(large),
                 .refused = {{"fold2d: (1, 4, 4, 3, 1) does not lead to (1, 5, 5, 1)", [] {
                                (void)fold2d(zeros({1, 4, 4, 3, 1}), {1, 5, 5, 1}, Window::square(2));
                              }}}});

  const auto random_resize = [](auto f) {
    return [f](Random& r) { return f(random_shape(r, 4, 5), 1 + r.below(8), 1 + r.below(8)); };
  };
  ops.push_back({.name = "resize",
                 .arguments = "x (n, h, w, c), out_h, out_w[, sampling of rows, of columns]",
                 .meaning = "bilinear; by default half-pixel centres (torch: align_corners = false, antialias = false)",
                 .gradients = "x",
                 .cases = {resized({2, 4, 3, 2}, 8, 6), resized({1, 8, 6, 2}, 4, 3), resized({1, 5, 3, 2}, 7, 4),
                           resized({1, 7, 5, 1}, 3, 11), resized({2, 1, 1, 3}, 3, 2), resized({1, 3, 4, 2}, 3, 4),
                           sampled({2, 4, 7, 2}, 9, 4), sampled({1, 1, 3, 1}, 2, 3)},
                 .random = random_resize(resized),
                 .large = resized({3, 9, 11, 8}, 20, 17),
                 .refused = {{"resize: (4, 4, 1) to 2 x 2",
                              [] {
                                (void)resize(zeros({4, 4, 1}), 2, 2);
                              }},
                             {"resize: (1, 4, 4, 1) to 0 x 2",
                              [] {
                                (void)resize(zeros({1, 4, 4, 1}), 0, 2);
                              }},
                             {"resize: (1, 0, 4, 1) to 2 x 2", [] {
                                (void)resize(zeros({1, 0, 4, 1}), 2, 2);
                              }}}});
  ops.push_back({.name = "resize_input",
                 .arguments = "y (n, out_h, out_w, c), shape of x",
                 .meaning = "adjoint of resize",
                 .gradients = "y",
                 .cases = {resized_input({2, 4, 3, 2}, 8, 6), resized_input({1, 8, 6, 2}, 4, 3),
                           resized_input({1, 5, 3, 2}, 7, 4), resized_input({2, 1, 1, 3}, 3, 2),
                           sampled_input({2, 4, 7, 2}, 9, 4), sampled_input({1, 1, 3, 1}, 2, 3)},
                 .random = random_resize(resized_input),
                 .large = resized_input({3, 9, 11, 8}, 20, 17),
                 .refused = {{"resize_input: (1, 4, 4, 2) does not lead to (1, 8, 8, 3)",
                              [] {
                                (void)resize_input(zeros({1, 4, 4, 2}), {1, 8, 8, 3});
                              }},
                             {"does not lead to (1, 0, 8, 2)", [] {
                                (void)resize_input(zeros({1, 4, 4, 2}), {1, 0, 8, 2});
                              }}}});
  return ops;
}

}  // namespace limn::table

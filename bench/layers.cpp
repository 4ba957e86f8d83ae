// What a training step does besides dense convolutions, against PyTorch's channels_last. Forward is recorded as in
// training; backward is alone. Depthwise convolutions are the kernels, with their share of the machine's peak.
// Usage: bench_layers [--quick] [--only REGEX] [--json FILE]
#include "harness/peer.hpp"
#include "harness/report.hpp"
#include "harness/training.hpp"
#include "limn/backend/kernels.hpp"

namespace {

using namespace limn;

class Bench {
 public:
  Bench(int count, char** arguments) : report_("layers", count, arguments) {}

  [[nodiscard]] bool quick() const { return report_.quick(); }

  void against_pytorch(const std::string& name, const std::string& of_peer, const std::function<void()>& f,
                       double multiply_adds = 0) {
    if (!report_.wants(name)) return;
    std::vector<bench::Contender> contenders{bench::here("limn", f)};
    pytorch_.join(contenders, of_peer);
    report_.compare(name, contenders, multiply_adds);
  }

  /// make(x) is the layer; `parameters` are what it is differentiated by besides x.
  template <class F>
  void both_ways(const std::string& name, const std::string& kind, Index n, Index side, Index c, const F& make,
                 const std::vector<Var<Cpu>>& parameters = {}, const std::string& more = "") {
    const Var<Cpu> x = leaf(bench::noise(n, side, c));
    std::vector<Var<Cpu>> wanted{x};
    wanted.insert(wanted.end(), parameters.begin(), parameters.end());
    const std::string shape = text(n, ' ', side, ' ', c, more.empty() ? "" : " ", more);
    against_pytorch(name + ", forward", kind + " forward " + shape, [&] { (void)make(x); });
    const Var<Cpu> y = make(x);
    const Var<Cpu> upstream = Tensor<Cpu>(y.shape(), .1f);
    against_pytorch(name + ", backward", kind + " backward " + shape,
                    [&] { (void)grad<Cpu>({y}, wanted, {.retain_graph = true, .upstream = {upstream}}); });
  }

 private:
  bench::Report report_;
  bench::Peer pytorch_ = bench::pytorch_tuned();
};

enum class After { nothing, relu, add_relu };  ///< batch norm

template <int C>
void batch_norm(Bench& bench, Index n, Index side, After after = After::nothing) {
  BatchNorm2d<Cpu, C> norm;
  initialise(norm, Seed{1});
  std::vector<Var<Cpu>> parameters{norm.weight, norm.bias};
  Var<Cpu> add;
  if (after == After::add_relu) parameters.push_back(add = leaf(bench::noise(n, side, C)));
  const auto make = [&](const Var<Cpu>& x) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> y = after == After::nothing ? run(norm, x) : norm_relu(norm, x, run, add);
    run.commit();
    return y;
  };
  const auto either = [&](const char* nothing, const char* relu, const char* add_relu) {
    return after == After::nothing ? nothing : after == After::relu ? relu : add_relu;
  };
  bench.both_ways(text("batch norm", either("", " + ReLU", " + add + ReLU"), ' ', n, "x", side, "x", side, "x", C),
                  "batch_norm", n, side, C, make, parameters, either("", "relu", "add relu"));
}

void depthwise(Bench& bench, Index n, Index side, Index c, Index stride) {
  const Window window = Window::square(3, stride, 1);
  const Shape of_y{n, window.out_h(side), window.out_w(side), c};
  const Tensor<Cpu> x(Shape{n, side, side, c}, .1f), weight(Shape{c, 3, 3, 1}, .1f), y(of_y, .1f);
  for (const std::string what : {"forward", "input", "weight"})
    bench.against_pytorch(
        text("depthwise 3x3 ", stride == 2 ? "/2 " : "", c, ", ", side, ", b", n, ", ", what),
        text("convolution ", what, ' ', n, ' ', side, ' ', c, ' ', c, " 3 ", stride, " 1 ", c),
        [&] {
          if (what == "forward") (void)kernel::depthwise_conv2d(x, weight, window);
          if (what == "input") (void)kernel::depthwise_conv2d_input(y, weight, x.shape(), window);
          if (what == "weight") (void)kernel::depthwise_conv2d_weight(x, y, weight.shape(), window);
        },
        static_cast<double>(y.size() * 3 * 3));
}

void cross_entropy(Bench& bench, Index n, Index classes) {
  const Var<Cpu> logits = leaf(bench::noise(1, 1, n * classes).reshape(Shape{n, classes}));
  std::vector<Index> labels;
  for (Index i = 0; i < n; ++i) labels.push_back(i % classes);
  bench.against_pytorch(text("softmax and cross-entropy ", n, "x", classes), text("cross_entropy ", n, ' ', classes),
                        [&] { (void)grad(limn::cross_entropy<Cpu>(logits, labels), logits); });
}

void adam(Bench& bench) {
  models::ResNet18<Cpu, 3, 1000> net;
  auto optimizer = make_optimizer(Adam{{.lr = 1e-4}}, net);
  std::vector<Var<Cpu>> gradients;
  Index count = 0;
  for (const Var<Cpu>& p : optimizer.variables()) {
    gradients.emplace_back(Tensor<Cpu>(p.shape(), .1f));
    count += p.size();
  }
  bench.against_pytorch(text("Adam, ", count, " parameters"), "adam_step", [&] { optimizer.step(gradients); });
}

}  // namespace

int main(int count, char** arguments) {
  Bench bench(count, arguments);
  const Index n = bench.quick() ? 2 : 8;
  batch_norm<64>(bench, n, 112);
  batch_norm<64>(bench, n, 56);
  batch_norm<256>(bench, n, 14);
  batch_norm<512>(bench, n, 7);
  for (const After after : {After::relu, After::add_relu}) {
    batch_norm<64>(bench, n, 56, after);
    batch_norm<256>(bench, n, 14, after);
  }
  bench.both_ways(text("ReLU ", n, "x56x56x64"), "relu", n, 56, 64, [](const Var<Cpu>& x) { return relu(x); });
  bench.both_ways(text("max pooling 3x3 /2 ", n, "x112x112x64"), "max_pool", n, 112, 64,
                  [](const Var<Cpu>& x) { return max_pool2d(x, Window::square(3, 2, 1)); });
  bench.both_ways(
      text("bilinear resize ", 4 * n, "x7x7x1 to 224"), "resize", 4 * n, 7, 1,
      [](const Var<Cpu>& x) { return resize(x, 224, 224); }, {}, "224");
  bench.both_ways(
      text("bilinear resize ", n, "x28x28x64 to 56"), "resize", n, 28, 64,
      [](const Var<Cpu>& x) { return resize(x, 56, 56); }, {}, "56");
  cross_entropy(bench, 32, 1000);
  cross_entropy(bench, 256, 1000);
  adam(bench);
  for (const Index stride : {1, 2}) {
    depthwise(bench, n, 56, 64, stride);
    depthwise(bench, n, 14, 256, stride);
  }
}

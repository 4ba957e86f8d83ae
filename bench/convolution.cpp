// Convolutions of ResNet-18, and the 1x1 convolutions of ResNet-50, forward and both adjoints, with their share of the
// machine's peak; against oneDNN, PyTorch, and what Eigen takes for the matrix product alone on windows that somebody
// has already unfolded. Usage: bench_convolution [--quick] [--only REGEX] [--json FILE]
#include <Eigen/Core>

#include "harness/peer.hpp"
#include "harness/report.hpp"
#include "limn/backend/kernels.hpp"

namespace {

using namespace limn;

struct Layer {
  const char* name;
  Index n, side, c, k, kernel, stride, padding;

  [[nodiscard]] Window window() const { return Window::square(kernel, stride, padding); }
  [[nodiscard]] Index out() const { return window().out_h(side); }
  [[nodiscard]] Index rows() const { return n * out() * out(); }
  [[nodiscard]] Index columns() const { return kernel * kernel * c; }
  /// As peers are asked for it.
  [[nodiscard]] std::string words(const std::string& what) const {
    return text("convolution ", what, ' ', n, ' ', side, ' ', c, ' ', k, ' ', kernel, ' ', stride, ' ', padding);
  }
};

/// The product that the convolution is, on all threads.
class EigenProduct {
 public:
  explicit EigenProduct(const Layer& l)
      : rows_(l.rows()),
        k_(l.k),
        windows_(Matrix::Constant(l.rows(), l.columns(), .1f)),
        weight_(Matrix::Constant(l.k, l.columns(), .1f)),
        y_(Matrix::Constant(l.rows(), l.k, .1f)) {}

  void operator()(const std::string& what) {
    const Index strip = (rows_ + 4 * threads() - 1) / (4 * threads());
    if (what == "forward") {
      forward_.resize(rows_, k_);
      parallel_pieces(rows_, strip, [&](Index a, Index b) {
        forward_.middleRows(a, b - a).noalias() = windows_.middleRows(a, b - a) * weight_.transpose();
      });
    } else if (what == "input") {
      input_.resize(rows_, windows_.cols());
      parallel_pieces(rows_, strip, [&](Index a, Index b) {
        input_.middleRows(a, b - a).noalias() = y_.middleRows(a, b - a) * weight_;
      });
    } else {
      of_weight_.resize(k_, windows_.cols());
      parallel_pieces(k_, (k_ + threads() - 1) / threads(), [&](Index a, Index b) {
        of_weight_.middleRows(a, b - a).noalias() = y_.middleCols(a, b - a).transpose() * windows_;
      });
    }
  }

 private:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Index rows_, k_;
  Matrix windows_, weight_, y_, forward_, input_, of_weight_;
};

}  // namespace

int main(int count, char** arguments) {
  bench::Report report("convolution", count, arguments);
  bench::Peer onednn = bench::onednn(), pytorch = bench::pytorch_tuned();
  const Index n = report.quick() ? 2 : 8;
  for (const Layer& l :
       {Layer{"conv1 7x7 /2 3-64, 224", n, 224, 3, 64, 7, 2, 3}, Layer{"layer1 3x3 64-64, 56", n, 56, 64, 64, 3, 1, 1},
        Layer{"layer2 3x3 /2 64-128, 56", n, 56, 64, 128, 3, 2, 1},
        Layer{"layer2 3x3 128-128, 28", n, 28, 128, 128, 3, 1, 1},
        Layer{"layer3 3x3 /2 128-256, 28", n, 28, 128, 256, 3, 2, 1},
        Layer{"layer3 3x3 256-256, 14", n, 14, 256, 256, 3, 1, 1},
        Layer{"layer4 3x3 /2 256-512, 14", n, 14, 256, 512, 3, 2, 1},
        Layer{"layer4 3x3 512-512, 7", n, 7, 512, 512, 3, 1, 1},
        Layer{"shortcut 1x1 /2 64-128, 56", n, 56, 64, 128, 1, 2, 0},
        Layer{"shortcut 1x1 /2 128-256, 28", n, 28, 128, 256, 1, 2, 0},
        Layer{"shortcut 1x1 /2 256-512, 14", n, 14, 256, 512, 1, 2, 0},
        Layer{"1x1 64-256, 56", n, 56, 64, 256, 1, 1, 0}, Layer{"1x1 256-64, 56", n, 56, 256, 64, 1, 1, 0},
        Layer{"thin 3x3 16-16, 64", 4 * n, 64, 16, 16, 3, 1, 1}}) {
    for (const std::string what : {"forward", "input", "weight"}) {
      const std::string name = text(l.name, ", b", l.n, ", ", what);
      if (!report.wants(name)) continue;
      const Tensor<Cpu> x(Shape{l.n, l.side, l.side, l.c}, .1f), weight(Shape{l.k, l.kernel, l.kernel, l.c}, .1f),
          y(Shape{l.n, l.out(), l.out(), l.k}, .1f);
      EigenProduct product(l);
      std::vector<bench::Contender> contenders{
          bench::here("limn",
                      [&] {
                        if (what == "forward") (void)kernel::conv2d(x, weight, l.window());
                        if (what == "input") (void)kernel::conv2d_input(y, weight, x.shape(), l.window());
                        if (what == "weight") (void)kernel::conv2d_weight(x, y, weight.shape(), l.window());
                      }),
          bench::here("Eigen product", [&] { product(what); })};
      onednn.join(contenders, l.words(what));
      pytorch.join(contenders, l.words(what));
      report.compare(name, contenders, static_cast<double>(l.rows() * l.columns() * l.k));
    }
  }
}

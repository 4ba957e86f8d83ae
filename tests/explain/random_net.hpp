// Networks put together at random, of functions and not of layers: a relu is the same function everywhere, max-pools
// are followed by it, blocks have shortcuts, and batch normalisation runs in evaluation.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "../nn/helpers.hpp"
#include "limn/nn/layers.hpp"

namespace limn::testing {

struct RandomNetOptions {
  bool bias = true;     ///< convolutions and the head have one
  bool norm = true;     ///< batch normalisation
  bool smooth = false;  ///< also tanh, sigmoid gates, softmax, products, quotients, LAP-Pools
};

template <Backend B>
class RandomNet {
 public:
  static constexpr auto fields = Fields{};
  static constexpr Index classes = 3;

  RandomNet(std::uint64_t number, RandomNetOptions options)
      : random_(Seed{number}, "net"), options_(options), norm_(options.norm) {
    Index channels = 2;
    for (Index i = 0, blocks = 2 + below(3); i < blocks; ++i) {
      const Index out = 2 + below(4);
      blocks_.push_back(Block{below(5), options.smooth ? below(6) : 5, below(2) == 0 && out == channels,
                              conv(channels, out), draw({out}, 0.5), draw({out}, 0.5), draw({out}, 0.5),
                              draw({out}, 0.3)});
      for (auto& v : blocks_.back().variance.span()) v = 0.3 + std::abs(v);
      channels = out;
    }
    hidden_ = draw({4, channels}, 1);
    hidden_bias_ = draw({4}, 0.5);
    head_ = draw({classes, 4}, 1);
    head_bias_ = draw({classes}, 0.5);
  }

  Var<B> operator()(const Var<B>& image, auto&) const {
    Var<B> x = image;
    for (const Block& block : blocks_) {
      Var<B> y = conv2d(x, Var<B>(block.weight), Window{3, 3, 1, 1, 1, 1});
      if (options_.bias) y = y + Var<B>(block.bias);
      if (norm_) y = batch_norm(y, Var<B>(block.gamma), Var<B>(block.bias), block.mean, block.variance);
      if (block.shortcut) y = y + x;
      y = pooled(block.pool, relu(y));
      x = smooth(block.function, y);
    }
    Var<B> h = linear(flatten(global_average(x)), Var<B>(hidden_));
    if (options_.bias) h = h + Var<B>(hidden_bias_);
    const Var<B> logits = linear(relu(h), Var<B>(head_));
    return options_.bias ? logits + Var<B>(head_bias_) : logits;
  }

 private:
  struct Block {
    Index pool, function;
    bool shortcut;
    Tensor<B> weight, bias, gamma, mean, variance;
  };

  Index below(Index n) { return static_cast<Index>(random_.uniform(0, static_cast<double>(n))) % n; }
  Tensor<B> draw(const Shape& shape, double size) {
    Tensor<B> out(shape);
    for (auto& v : out.span()) v = static_cast<typename B::scalar>(random_.normal() * size);
    return out;
  }
  Tensor<B> conv(Index in, Index out) { return draw({out, 3, 3, in}, 0.4); }

  Var<B> pooled(Index which, const Var<B>& x) const {
    const auto threshold = typename B::scalar(options_.bias ? 0.2 : 0);
    if (x.dim(1) < 3 || x.dim(2) < 3) return x;
    switch (which) {
      case 0:
        return relu(max_pool2d(x, Window::square(2, 2, 0)));
      case 1:
        return relu(max_pool2d(x, Window::square(3, 2, 1)) - threshold);  // some are cut again
      case 2:
        return avg_pool2d(x, Window::square(2, 2, 0));
      case 3:
        return relu(max_pool2d(relu(x), Window::square(2, 1, 0)));
      default:
        return x;
    }
  }
  Var<B> smooth(Index which, const Var<B>& x) const {
    using S = typename B::scalar;
    switch (which) {
      case 0:
        return tanh(x) * sigmoid(mean(x, {-1}));  // a gate: a product of functions of the picture
      case 1:
        return x * softmax(x) + exp(-square(x));  // and a softmax, a square
      case 2:
        return x / (sum(softplus(x), {-1}) + S(0.5));  // a quotient
      case 3:
        if (x.dim(2) < 2) return x;
        return lap_pool(x, sigmoid(sum(x, {-1})), Var<B>(Tensor<B>(Shape{1}, {S(1.5)})), Window::square(2, 1, 0));
      case 4:
        return maximum(x, reshape(global_average(x), {x.dim(0), 1, 1, x.dim(3)})) + log_softmax(x) * S(0.1);
      default:
        return x;
    }
  }

  Random random_;
  RandomNetOptions options_;
  bool norm_;
  std::vector<Block> blocks_;
  Tensor<B> hidden_, hidden_bias_, head_, head_bias_;
};

}  // namespace limn::testing

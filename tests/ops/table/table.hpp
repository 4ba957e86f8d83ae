// The table of operations. A row says all that the tests and docs/ops.md need to know of one operation: its inputs, the
// function itself, a plain reference, calls that must be refused. test_table.cpp runs every property over every row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "limn/autograd/var.hpp"
#include "limn/core/random.hpp"
#include "reference.hpp"

namespace limn::table {

using reference::Array;

/// How the numbers of an input are drawn. Gradient checks need distance from kinks, hence `nonzero` and `distinct`.
enum class Draw {
  normal,
  nonzero,   ///< at least 0.1 away from 0
  positive,  ///< 0.5 or more
  unit,      ///< between 0.05 and 0.95
  distinct,  ///< 0 to 1 in equal steps, shuffled: no two are close
  fixed,     ///< all equal to `value`
};

struct Input {
  Shape shape;
  Draw draw = Draw::normal;
  double value = 0;
};

template <Backend B>
using Function = std::function<Var<B>(const std::vector<Var<B>>&)>;

/// One call of an operation.
struct Case {
  std::vector<Input> inputs;
  Function<Cpu> f32;
  Function<CpuDouble> f64;
  std::function<Array(const std::vector<Array>&)> reference;
  std::size_t variables = 0;  ///< gradients are checked in so many inputs, the first ones; the others are constants
};

/// A case from a generic lambda over std::vector<Var<B>>, which serves float and double.
template <class F>
Case make(std::vector<Input> inputs, F f, std::function<Array(const std::vector<Array>&)> reference,
          std::size_t constants = 0) {
  const std::size_t variables = inputs.size() - constants;
  return {std::move(inputs), f, f, std::move(reference), variables};
}

/// A call that must throw a ShapeError whose message holds `message`.
struct Refused {
  std::string message;
  std::function<void()> call;
};

/// A row: one public function (or one of its overloads, then named in brackets).
struct Op {
  std::string name;                               ///< "conv2d", "operator+ (scalar)"
  std::string arguments = {};                     ///< with shapes, for the documentation
  std::string meaning = {};                       ///< one line, with the source where there is one
  std::string gradients = {};                     ///< the arguments in which it can be differentiated
  bool fused = false;                             ///< a kernel of its own computes the first derivative
  std::vector<Case> cases = {};                   ///< the listed shapes
  std::function<Case(Random&)> random = nullptr;  ///< draws a case of random shapes
  Case large = {};                                ///< large enough to be cut into pieces for several threads
  std::vector<Refused> refused = {};
};

std::vector<Op> arithmetic();     ///< table_arithmetic.cpp
std::vector<Op> layout();         ///< table_layout.cpp
std::vector<Op> reductions();     ///< table_reduce.cpp
std::vector<Op> image();          ///< table_image.cpp: convolution, pooling, resizing
std::vector<Op> grouped();        ///< table_grouped.cpp: depthwise and grouped convolution
std::vector<Op> network();        ///< table_network.cpp: activations, products, losses
std::vector<Op> normalisation();  ///< table_norm.cpp: batch normalisation, LAP-Pool
std::vector<Op> volumes();        ///< table_volume.cpp: convolution, resizing and LAP-Pool of volumes

/// So many cases of random shapes are drawn for every row, beside the listed ones: for values, and for derivatives.
inline constexpr int random_values = 8, random_gradients = 2;

inline const std::vector<Op>& all() {
  static const std::vector<Op> ops = [] {
    std::vector<Op> out;
    for (auto part : {arithmetic, layout, reductions, image, grouped, network, normalisation, volumes})
      for (auto& op : part()) out.push_back(std::move(op));
    return out;
  }();
  return ops;
}

/// A constant of zeros, for calls that are refused.
inline Var<Cpu> zeros(const Shape& shape) { return Tensor<Cpu>(shape, 0.f); }

/// Random extents from 1 to `most`.
inline Shape random_shape(Random& random, int rank, Index most) {
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push(1 + random.below(most));
  return shape;
}

/// The numbers of an input.
inline Array draw(const Input& input, Random& random) {
  Array out(input.shape);
  for (double& v : out.span()) {
    v = random.normal();
    if (input.draw == Draw::nonzero) v += v < 0 ? -0.1 : 0.1;
    if (input.draw == Draw::positive) v = std::abs(v) + 0.5;
    if (input.draw == Draw::unit) v = 0.05 + 0.9 * random.uniform();
    if (input.draw == Draw::fixed) v = input.value;
  }
  if (input.draw == Draw::distinct) {
    const Index n = out.size();
    for (Index i = 0; i < n; ++i) out.data()[i] = static_cast<double>(i) / static_cast<double>(n);
    for (Index i = n - 1; i > 0; --i) std::swap(out.data()[i], out.data()[random.below(i + 1)]);
  }
  return out;
}

}  // namespace limn::table

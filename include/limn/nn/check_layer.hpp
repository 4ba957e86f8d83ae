// check_layer<L>(): gradient-checks a layer, yours too, in one line. L is the layer with the CpuDouble back end.
//   const auto result = check_layer<SqueezeExcite<CpuDouble, 16>>();   // result.error should be below 1e-6
#pragma once

#include <vector>

#include "limn/autograd/check.hpp"
#include "limn/nn/run.hpp"
#include "limn/nn/shapes.hpp"

namespace limn {

/// Compares first- and second-order gradients with respect to the input and to every parameter with central
/// differences. `input` is one image, or volume if it has a depth; by default 5 x 4 with the layer's channels. Gives
/// the largest error and where.
template <class L>
[[nodiscard]] CheckResult check_layer(Dims input = {5, 4, std::max(1, detail::in_channels_of<L>())},
                                      bool training = true, const CheckOptions& options = {}) {
  static_assert(std::is_same_v<backend_of<L>, CpuDouble> || without_backend<L>,
                "limn: check_layer wants the layer with the CpuDouble back end: differences need double precision");
  L layer;
  initialise(layer, options.seed);
  Random random(options.seed, "input");
  const Shape shape = input.depth == 1 ? Shape{2, input.height, input.width, input.channels}
                                       : Shape{2, input.depth, input.height, input.width, input.channels};
  std::vector<Tensor<CpuDouble>> at{detail::random_like(shape, random)};
  std::vector<Parameter<CpuDouble>*> parameters;
  std::vector<std::string> names{"input"};
  for (const auto& leaf : leaves<L, CpuDouble>(layer)) {
    if (leaf.parameter == nullptr) continue;
    parameters.push_back(leaf.parameter);
    names.push_back(leaf.path);
    at.push_back(leaf.parameter->value().clone());
    for (auto& v : at.back().span()) v += 0.1 * random.normal();  // away from zeros and ones, where kinks may be
  }
  const Differentiable f = [&](const std::vector<Var<CpuDouble>>& in) -> std::vector<Var<CpuDouble>> {
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i]->bind(in[i + 1]);
    Run<CpuDouble> run;
    run.training = training;
    return {run(layer, in[0])};
  };
  CheckResult first = check_gradient(f, at, options), second = check_second_order(f, at, options);
  std::string inputs;
  for (std::size_t i = 0; i < names.size(); ++i) inputs += text(i ? ", " : " (inputs: ", i, " = ", names[i]);
  first.where = "first order, " + first.where + inputs + ")";
  second.where = "second order, " + second.where + inputs + ")";
  return first.error >= second.error ? first : second;
}

}  // namespace limn

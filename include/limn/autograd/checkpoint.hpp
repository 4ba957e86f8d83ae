// checkpoint: a part of a computation of which the tape keeps only the outputs. What happens inside is computed again
// when gradients are asked for: less memory, more time, the same bits.
//   Var y = checkpoint([=] { return relu(conv2d(x, weight)); });
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "limn/autograd/grad.hpp"

namespace limn {

namespace detail {

/// Takes what was recorded since `node` was made, on the ways to these outputs, from the tape and puts `node` there; f
/// gives the outputs again.
template <Backend B>
[[gnu::cold, gnu::noinline]] void forget(const std::shared_ptr<Node<B>>& node, std::vector<Var<B>>& outputs,
                                         typename Node<B>::Again f) {
  for (auto& found : behind(outputs, 0, node->id))
    if (found.node->id < node->id) node->parents.push_back(found.node);
  if (node->parents.empty()) return;
  node->again = std::move(f);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& inner = outputs[i].node();
    if (!inner || inner->id < node->id) continue;  // a constant, or an input as it is
    auto part = new_node<B>(node->name, outputs[i].shape());
    part->parents.push_back(node);
    part->part = static_cast<int>(i);
    outputs[i] = Var<B>(outputs[i].value(), std::move(part));
  }
}

/// Operations are recorded, and nobody wants to look at each of them.
inline bool may_forget() { return recording().on && !recording().keep; }

}  // namespace detail

/// f(), which takes nothing and gives a Var or a vector of them, later outputs after those that they depend on. f keeps
/// what it needs (captures by value, or parameters that live longer than the gradients); it is called once here, and
/// once more in each grad() through its outputs. It must compute the same every time, so what it reads must not change
/// in between; Vars that it leaves elsewhere are not on the tape. Gradients reach every variable that f used, to any
/// order. With create_graph nothing is saved, as the second record stays.
///
/// Under RecordForRules it is just f(). Throws Error from grad() for a gradient with respect to one output on which
/// another one may depend.
template <class F>
[[nodiscard]] auto checkpoint(F f) {
  using Result = std::invoke_result_t<const F&>;
  if constexpr (requires(Result r) { r.node(); }) {
    return std::move(checkpoint([f = std::move(f)] { return std::vector<Result>{f()}; }).front());
  } else {
    using B = typename Result::value_type::backend;
    if (!detail::may_forget()) return f();
    const auto node = detail::new_node<B>("checkpoint", Shape{});
    Result out = f();
    detail::forget<B>(node, out, std::move(f));
    return out;
  }
}

}  // namespace limn

// oneDNN's convolutions as a peer: images and weights in the blocked layouts that oneDNN itself picks, and no reorder
// is timed, so this is the most that it can do. Written for oneDNN 2 and 3.
#include <dnnl.hpp>
#include <stdexcept>
#include <unordered_map>

#include "worker.hpp"

namespace {

using namespace dnnl;

struct Layer {
  memory::dim n = 0, side = 0, c = 0, k = 0, kernel = 0, stride = 0, padding = 0;
};

class Convolution {
 public:
  explicit Convolution(const Layer& l) : stride_{l.stride, l.stride}, padding_{l.padding, l.padding} {
    const memory::dim out = (l.side + 2 * l.padding - l.kernel) / l.stride + 1;
    x_ = any({l.n, l.c, l.side, l.side});
    weight_ = any({l.k, l.c, l.kernel, l.kernel});
    y_ = any({l.n, l.k, out, out});
  }

  std::function<void()> of(const std::string& what) {
    const auto forward = describe<convolution_forward>(prop_kind::forward_training, algorithm::convolution_auto, x_,
                                                       weight_, y_, stride_, padding_, padding_);
    if (what == "forward")
      return ready(convolution_forward(forward), {{DNNL_ARG_SRC, forward.src_desc()},
                                                  {DNNL_ARG_WEIGHTS, forward.weights_desc()},
                                                  {DNNL_ARG_DST, forward.dst_desc()}});
    if (what == "input") {
      const auto d = describe<convolution_backward_data>(algorithm::convolution_direct, x_, weight_, y_, stride_,
                                                         padding_, padding_, forward);
      return ready(convolution_backward_data(d), {{DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                                                  {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                  {DNNL_ARG_DIFF_SRC, d.diff_src_desc()}});
    }
    const auto d = describe<convolution_backward_weights>(algorithm::convolution_direct, x_, weight_, y_, stride_,
                                                          padding_, padding_, forward);
    return ready(convolution_backward_weights(d), {{DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                                                   {DNNL_ARG_SRC, d.src_desc()},
                                                   {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()}});
  }

 private:
  static memory::desc any(const memory::dims& extents) {
    return {extents, memory::data_type::f32, memory::format_tag::any};
  }

  /// Version 3 has no operation descriptors: what they were given goes to the primitive's descriptor.
  template <class Primitive, class... A>
  typename Primitive::primitive_desc describe(const A&... a) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine_, a...};
#else
    return describe_2<Primitive>(std::forward_as_tuple(a...));
#endif
  }
#if DNNL_VERSION_MAJOR < 3
  template <class Primitive, class... A>
  typename Primitive::primitive_desc describe_2(const std::tuple<const A&...>& a) {
    using Last = std::tuple_element_t<sizeof...(A) - 1, std::tuple<A...>>;
    if constexpr (std::is_same_v<Last, convolution_forward::primitive_desc>) {  // a hint; the rest describes
      return [&]<std::size_t... I>(std::index_sequence<I...>)->typename Primitive::primitive_desc {
        return {typename Primitive::desc(std::get<I>(a)...), engine_, std::get<sizeof...(A) - 1>(a)};
      }
      (std::make_index_sequence<sizeof...(A) - 1>());
    } else {
      return {std::make_from_tuple<typename Primitive::desc>(a), engine_};
    }
  }
#endif

  std::function<void()> ready(const primitive& p, const std::unordered_map<int, memory::desc>& descriptions) {
    std::unordered_map<int, memory> arguments;
    for (const auto& [argument, description] : descriptions) {
      memory m(description, engine_);
      auto* values = static_cast<float*>(m.get_data_handle());
      std::fill_n(values, description.get_size() / sizeof(float), .1f);
      arguments.emplace(argument, m);
    }
    return [p, arguments, stream = stream(engine_)]() mutable {
      p.execute(stream, arguments);
      stream.wait();
    };
  }

  engine engine_{engine::kind::cpu, 0};
  memory::dims stride_, padding_;
  memory::desc x_, weight_, y_;
};

}  // namespace

int main() {
  const version_t* v = version();
  const std::string name =
      "oneDNN " + std::to_string(v->major) + '.' + std::to_string(v->minor) + '.' + std::to_string(v->patch);
  return bench::serve(name, [](std::istream& words) {
    std::string kind, what;
    Layer l;
    words >> kind >> what >> l.n >> l.side >> l.c >> l.k >> l.kernel >> l.stride >> l.padding;
    if (!words || kind != "convolution") throw std::invalid_argument("no such case");
    return Convolution(l).of(what);
  });
}

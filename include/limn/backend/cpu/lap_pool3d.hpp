// LAP-Pool of volumes: x (n, d, h, w, c), q (n, d, h, w, 1), alpha (1). As lap_pool.hpp, over boxes.
#pragma once

#include "limn/backend/cpu/lap_pool.hpp"

namespace limn::kernel {

namespace detail {

/// The elements of box number o of the volume x (n, d, h, w, c), in order.
template <class T>
void read_box(LapWindow<T>& box, const Tensor<CpuOf<T>>& x, const T* q, const Window3d& win, Index o, T alpha, T eps) {
  const Window& plane = win.plane;
  const Index d = x.dim(1), h = x.dim(2), w = x.dim(3), oh = win.out_h(h), ow = win.out_w(w);
  const Index x0 = o % ow * plane.stride_w - plane.pad_w, y0 = o / ow % oh * plane.stride_h - plane.pad_h,
              slice = o / ow / oh, z0 = slice % win.out_d(d) * win.stride_d - win.pad_d, n = slice / win.out_d(d);
  const auto from = [](Index begin) { return std::max<Index>(begin, 0); };
  box.at.clear();
  for (Index z = from(z0); z < std::min(z0 + win.kernel_d, d); ++z)
    for (Index y = from(y0); y < std::min(y0 + plane.kernel_h, h); ++y)
      for (Index i = from(x0); i < std::min(x0 + plane.kernel_w, w); ++i)
        box.at.push_back(((n * d + z) * h + y) * w + i);
  box.weigh(q, alpha, eps);
}

}  // namespace detail

template <class T>
[[nodiscard]] Tensor<CpuOf<T>> lap_pool3d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& q,
                                          const Tensor<CpuOf<T>>& alpha, const Window3d& win, T eps) {
  const Index c = x.dim(4), ow = win.out_w(x.dim(3));
  Tensor<CpuOf<T>> y(Shape{x.dim(0), win.out_d(x.dim(1)), win.out_h(x.dim(2)), ow, c});
  parallel_for(y.shape().product(0, 3), [&](Index line) {
    detail::LapWindow<T> box;
    for (Index o = line * ow; o < (line + 1) * ow; ++o) {
      detail::read_box(box, x, q.data(), win, o, alpha.data()[0], eps);
      box.source = box.at;
      box.share_of = box.share;
      box.add_up(x.data(), c, y.data() + o * c);
    }
  });
  return y;
}

/// See lap_pool_gradient.
template <class T>
[[nodiscard]] LapPoolGradient<T> lap_pool3d_gradient(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<T>>& x,
                                                     const Tensor<CpuOf<T>>& q, const Tensor<CpuOf<T>>& alpha,
                                                     const Window3d& win, T eps) {
  const Index n = x.dim(0), c = x.dim(4), boxes = g.shape().product(1, 4);
  LapPoolGradient<T> out{Tensor<CpuOf<T>>(x.shape(), T(0)), Tensor<CpuOf<T>>(q.shape(), T(0)),
                         Tensor<CpuOf<T>>(alpha.shape(), T(0))};
  std::vector<T> of_volume(static_cast<std::size_t>(n));
  const T a = alpha.data()[0];
  parallel_for(n, [&](Index volume) {
    detail::LapWindow<T> box;
    std::vector<T> along;
    T to_alpha = 0;
    for (Index o = volume * boxes; o < (volume + 1) * boxes; ++o) {
      detail::read_box(box, x, q.data(), win, o, a, eps);
      along.clear();
      const T* const up = g.data() + o * c;
      for (std::size_t j = 0; j < box.at.size(); ++j) {
        const T* const in = x.data() + box.at[j] * c;
        T* const to = out.x.data() + box.at[j] * c;
        T dot = 0;
#pragma omp simd reduction(+ : dot)
        for (Index k = 0; k < c; ++k) {
          to[k] += box.share[j] * up[k];
          dot += up[k] * in[k];
        }
        along.push_back(dot);
      }
      box.spread(along, a, eps, out.q.data(), to_alpha);
    }
    of_volume[static_cast<std::size_t>(volume)] = to_alpha;
  });
  for (T part : of_volume) out.alpha.data()[0] += part;
  return out;
}

}  // namespace limn::kernel

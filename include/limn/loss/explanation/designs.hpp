// Designs of explanation losses: how a map H and a mask M are compared. Both are on the same elements, H (n, h, w, 1),
// scaled to 0 .. 1 and gated, M (n, h, w, 1), 0 .. 1 and nowhere empty; the result is one number per picture,
// (n, 1, 1, 1). A design of your own is a class with a name and such a call:
//   struct Mine {
//     static constexpr const char* name = "mine";
//     template <Backend B> Var<B> operator()(const Var<B>& map, const Var<B>& mask) const;
//   };
// It may say `static constexpr Score score`, which is then explained unless the options say otherwise; `bounded =
// true`, if values outside 0 .. 1 make no sense to it; `raw = true`, to get the explainer's values as they are, signed
// where it has signs (attributions), (n, h, w, c).
//
// All have exact derivatives of any order, and finite ones for maps of zeros.
#pragma once

#include "limn/explain/saliency.hpp"
#include "limn/loss/explanation/map.hpp"

namespace limn {

namespace detail {
/// Sum over a picture: (n, h, w, c) -> (n, 1, 1, 1).
template <Backend B>
[[nodiscard]] Var<B> per_picture(const Var<B>& x) {
  return sum(x, {1, 2, 3});
}
template <Backend B>
[[nodiscard]] Var<B> picture_mean(const Var<B>& x) {
  return mean(x, {1, 2, 3});
}
/// The mask blurred by a Gaussian of `sigma` elements, cut at 3 sigma and at the border.
template <Backend B>
[[nodiscard]] Tensor<B> blurred(const Tensor<B>& mask, float sigma) {
  using T = typename B::scalar;
  const Index h = mask.dim(1), w = mask.dim(2), reach = static_cast<Index>(std::ceil(3 * sigma));
  const auto along = [&](const Tensor<B>& from, Index count, Index stride) {  // count elements, `stride` apart
    Tensor<B> out(from.shape());
    for (Index at = 0; at < from.size(); ++at) {
      const Index i = at / stride % count;
      T sum = 0, weights = 0;
      for (Index d = std::max<Index>(-reach, -i); d <= std::min(reach, count - 1 - i); ++d) {
        const T x = static_cast<T>(d) / static_cast<T>(sigma), weight = std::exp(-x * x / 2);
        sum += weight * from.data()[at + d * stride];
        weights += weight;
      }
      out.data()[at] = sum / weights;
    }
    return out;
  };
  return sigma > 0 ? along(along(mask, h, w), w, 1) : mask;
}
}  // namespace detail

/// 1 - sum(H M) / sum(H): the share of the map that lies outside. 1 for a map of zeros.
/// (Eq. 6 of Explanation-Aware Learning; 1 less the energy-based pointing game, Wang et al. 2020.)
struct OutsideMass {
  static constexpr const char* name = "outside_mass";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    return 1 - detail::per_picture(map * mask) / detail::at_least_tiny(detail::per_picture(map));
  }
};

/// 1 - 2 sum(H M) / (sum(H) + sum(M)) (Dice 1945, with soft memberships).
struct Dice {
  static constexpr const char* name = "dice";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    return 1 - detail::per_picture(map * mask) * 2 / (detail::per_picture(map) + detail::per_picture(mask));
  }
};

/// mean of -M ln H - (1 - M) ln(1 - H). H is drawn in to [margin, 1 - margin], for it reaches both 0 and 1 in every
/// picture.
struct Bce {
  static constexpr const char* name = "bce";
  static constexpr bool bounded = true;
  float margin = 1e-3f;
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    const auto m = static_cast<typename B::scalar>(margin);
    const Var<B> p = map * (1 - 2 * m) + m;
    return detail::picture_mean(-(mask * log(p) + (1 - mask) * log(1 - p)));
  }
};

/// mean of (H - M)^2
struct Mse {
  static constexpr const char* name = "mse";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    return detail::picture_mean(square(map - mask));
  }
};

/// mean of |H - M| (GRADIA, Gao et al. 2022, "Aligning Eyes between Humans and Deep Neural Network").
struct L1 {
  static constexpr const char* name = "l1";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    return detail::picture_mean(abs(map - mask));
  }
};

/// -sum(M ln H) / sum(M): cross-entropy inside the annotation only; what is outside costs nothing (HAICS, Shen et al.
/// 2021). H is drawn in to [margin, 1 - margin].
struct Haics {
  static constexpr const char* name = "haics";
  static constexpr bool bounded = true;
  float margin = 1e-3f;
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    const auto m = static_cast<typename B::scalar>(margin);
    return -detail::per_picture(mask * log(map * (1 - 2 * m) + m)) / detail::per_picture(mask);
  }
};

/// mean of (1 - M) H^2: squared mass outside, for any map (RRR*, after Ross et al.; Rao et al. 2023). A mean and no
/// sum, so that a weight means the same for every size of map.
struct RrrStar {
  static constexpr const char* name = "rrr_star";
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    return detail::picture_mean((1 - mask) * square(map));
  }
};

/// sum over pixels and channels of ((1 - M) d/dx sum over classes of ln p)^2: right for the right reasons (Ross et al.
/// 2017, Eq. 1), with InputGradient. With another explainer the squares of its raw values.
struct Rrr {
  static constexpr const char* name = "rrr";
  static constexpr bool raw = true;
  static constexpr Score score = Score::log_probabilities;
  template <Backend B>
  Var<B> operator()(const Var<B>& values, const Var<B>& mask) const {
    return detail::per_picture(square((1 - mask) * values));
  }
};

/// mean of max(0, |H - G(M)| - slack): what an annotation that is only roughly right can tell (after RES, Gao et al.
/// 2022: slack for boundaries that are not exact, G for regions that are not complete). G blurs M by a Gaussian and
/// scales it to a largest value of 1; with `imputed` what is marked stays at least M, and only the surroundings are
/// filled in. RES's learned G is not here.
struct Res {
  static constexpr const char* name = "res";
  float slack = .1f;    ///< differences up to here are free
  float blur = 1;       ///< standard deviation in elements of the map; 0: M as it is
  bool imputed = true;  ///< max(M, blurred M) in place of the blurred M

  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    const auto hinge = relu(abs(map - Var<B>(target(mask.value()))) - static_cast<typename B::scalar>(slack));
    return detail::picture_mean(hinge);
  }
  /// G(M)
  template <Backend B>
  [[nodiscard]] Tensor<B> target(const Tensor<B>& mask) const {
    require<OptionError>(slack >= 0 && blur >= 0, "res: slack and blur must not be below 0, got ", slack, " and ",
                         blur);
    Tensor<B> out = detail::blurred(mask, blur).clone();
    const Index size = out.size() / out.dim(0);
    for (Index i = 0; i < out.size(); i += size) {
      const auto most = *std::max_element(out.data() + i, out.data() + i + size);
      for (Index k = i; k < i + size; ++k) {
        out.data()[k] /= most;
        if (imputed) out.data()[k] = std::max(out.data()[k], mask.data()[k]);
      }
    }
    return out;
  }
};

/// sum of P ln(P / Q), P = M / sum(M), Q = (H + margin) / sum(H + margin): the Kullback-Leibler divergence of the
/// normalised maps. The margin keeps elements of 0 finite.
struct Kl {
  static constexpr const char* name = "kl";
  float margin = 1e-3f;
  template <Backend B>
  Var<B> operator()(const Var<B>& map, const Var<B>& mask) const {
    const Var<B> h = map + static_cast<typename B::scalar>(margin);
    const Var<B> p = mask / detail::per_picture(mask);
    const Var<B> log_q = log(h) - log(detail::per_picture(h));
    return detail::per_picture(p * (log(detail::at_least_tiny(p)) - log_q));
  }
};

}  // namespace limn

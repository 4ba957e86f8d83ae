// Element-wise arithmetic, written once for every back end. A functor takes numbers and gives a number; the same code
// runs in a loop on the CPU and in a kernel on a GPU, so what the tests show on the CPU holds for both.
#pragma once

#include <cmath>

#include "limn/backend/exponential.hpp"
#include "limn/core/config.hpp"

namespace limn::functor {

// clang-format off: a functor a line reads as the table it is

struct Identity {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x;
  }
};
struct Negate {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return -x;
  }
};
struct Add {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a + b;
  }
};
struct Subtract {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a - b;
  }
};
struct Multiply {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a * b;
  }
};
struct Divide {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a / b;
  }
};
struct Maximum {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
/// 1 where a > b, else 0.
struct Greater {
  template <class T>
  LIMN_HD T operator()(T a, T b) const {
    return a > b ? T(1) : T(0);
  }
};

template <class S>
struct AddScalar {
  S s;
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x + T(s);
  }
};
template <class S>
struct Scale {
  S s;
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x * T(s);
  }
};
template <class S>
struct Power {
  S exponent;
  template <class T>
  LIMN_HD T operator()(T x) const {
    using std::pow;
    return pow(x, T(exponent));
  }
};

struct Exp {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return exponential(x);
  }
};
struct Log {
  template <class T>
  LIMN_HD T operator()(T x) const {
    using std::log;
    return log(x);
  }
};
struct Sqrt {
  template <class T>
  LIMN_HD T operator()(T x) const {
    using std::sqrt;
    return sqrt(x);
  }
};
struct Abs {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x < T(0) ? -x : x;
  }
};
struct Sign {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return T((x > T(0)) - (x < T(0)));
  }
};
struct Tanh {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return hyperbolic_tangent(x);
  }
};

/// max(x, 0); NaN stays NaN, so that a broken layer is not hidden by the next.
struct Relu {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
/// 1 where x > 0, else 0.
struct Step {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x > T(0) ? T(1) : T(0);
  }
};
/// Gradient of relu from its output y: g where y > 0.
struct ReluGradient {
  template <class T>
  LIMN_HD T operator()(T g, T y) const {
    return y > T(0) ? g : T(0);
  }
};

/// 1 / (1 + exp(-x)), without overflow for any x.
struct Sigmoid {
  template <class T>
  LIMN_HD T operator()(T x) const {
    const T e = exponential(x < T(0) ? x : -x);
    return (x < T(0) ? e : T(1)) / (T(1) + e);
  }
};
struct SigmoidGradient {
  template <class T>
  LIMN_HD T operator()(T g, T y) const {
    return g * y * (T(1) - y);
  }
};
/// ln(1 + exp(x)), without overflow for any x. -ln(sigmoid(x)) is softplus(-x).
struct Softplus {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return (x > T(0) ? x : T(0)) + log_one_plus(exponential(x > T(0) ? -x : x));
  }
};

// clang-format on

}  // namespace limn::functor

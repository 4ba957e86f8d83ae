// The exponential function and its relatives in float against those of the C library in double, over all of float.
#include "limn/backend/exponential.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "limn/backend/cpu/elementwise.hpp"
#include "limn/backend/functors.hpp"

using namespace limn;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// How far `found` is from `exact`, in units in the last place of a float of that size.
double units(float found, double exact) {
  const auto nearest = static_cast<float>(exact);
  if (found == nearest || (std::isnan(found) && std::isnan(exact))) return 0;
  if (!std::isfinite(found) || !std::isfinite(nearest)) return std::numeric_limits<double>::infinity();
  const int exponent = std::max(std::ilogb(nearest), -126);
  return std::abs(found - exact) / std::ldexp(1.0, exponent - 23);
}

struct Worst {
  double error = 0;
  float at = 0;
};

/// f against g over floats of all sizes and both signs, infinities and NaN among them.
template <class F, class G>
Worst worst(const F& f, const G& g) {
  Worst out;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 4001) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const double error = units(f(x), g(static_cast<double>(x)));
    if (error > out.error) out = {error, x};
  }
  // Most floats are too small or too large to be of interest: also those between, in equal steps.
  for (int i = -500000; i <= 500000; ++i) {
    const float x = static_cast<float>(i) * 0x1.9p-12f;
    const double error = units(f(x), g(static_cast<double>(x)));
    if (error > out.error) out = {error, x};
  }
  return out;
}

}  // namespace

TEST_CASE("exp in float is exact to a unit in the last place, for every kind of number") {
  const auto found = worst(functor::Exp{}, [](double x) { return std::exp(x); });
  CAPTURE(found.at);
  CHECK(found.error < 1.1);
  CHECK(functor::exponential(0.f) == 1.f);
  CHECK(functor::exponential(-0.f) == 1.f);
  CHECK(functor::exponential(infinity) == infinity);
  CHECK(functor::exponential(-infinity) == 0.f);
  CHECK(std::isnan(functor::exponential(std::numeric_limits<float>::quiet_NaN())));
  CHECK(std::isnan(functor::exponential(-std::numeric_limits<float>::quiet_NaN())));
  // The last finite result, and the first infinite one: ln(2^128 - 2^103) = 88.72283905...
  CHECK(functor::exponential(88.72283f) < infinity);
  CHECK(functor::exponential(88.72284f) == infinity);
  // The smallest subnormal number is 2^-149, and half of it rounds to 0: -150 ln 2 = -103.97207708...
  CHECK(functor::exponential(-103.972f) == std::numeric_limits<float>::denorm_min());
  CHECK(functor::exponential(-103.9721f) == 0.f);
  CHECK(functor::exponential(-std::numeric_limits<float>::max()) == 0.f);
}

TEST_CASE("what is made of exp in float is exact to three units") {
  const auto sigmoid = worst(functor::Sigmoid{}, [](double x) { return 1 / (1 + std::exp(-x)); });
  const auto softplus = worst(functor::Softplus{},
                              [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) + 0 * x; });
  const auto tanh = worst(functor::Tanh{}, [](double x) { return std::tanh(x); });
  const auto logarithm = worst([](float x) { return functor::log_one_plus(x >= 0 && x <= 1 ? x : 0.f); },
                               [](double x) { return std::log1p(x >= 0 && x <= 1 ? x : 0.0); });
  CAPTURE(sigmoid.at);
  CAPTURE(softplus.at);
  CAPTURE(tanh.at);
  CAPTURE(logarithm.at);
  CHECK(sigmoid.error < 3);
  CHECK(softplus.error < 2);
  CHECK(tanh.error < 1.4);
  CHECK(logarithm.error < 1.3);
}

TEST_CASE("a loop over numbers gives what one number gives, wherever it stands") {
  // Loops work on vectors and end with single numbers; rounding must not depend on where a number stands.
  constexpr Index size = 1037;
  Tensor<Cpu> x(Shape{size});
  for (Index i = 0; i < size; ++i) x.data()[i] = static_cast<float>(i - 500) * 0.217f;
  const auto same = [&](const auto& f) {
    const auto y = kernel::elementwise(f, x.shape(), x);
    Index different = 0;
    for (Index i = 0; i < size; ++i) different += y.data()[i] != f(x.data()[i]);
    return different == 0;
  };
  CHECK(same(functor::Exp{}));
  CHECK(same(functor::Sigmoid{}));
  CHECK(same(functor::Softplus{}));
  CHECK(same(functor::Tanh{}));
}

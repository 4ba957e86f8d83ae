// The functors that have something to get wrong: overflow, signs, numbers that are none.
#include "limn/backend/functors.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace limn::functor;

namespace {
const float none = std::numeric_limits<float>::quiet_NaN();
}

TEST_CASE("signs and steps at zero") {
  CHECK(Sign{}(0.f) == 0.f);
  CHECK(Sign{}(-0.f) == 0.f);
  CHECK(Sign{}(-2.f) == -1.f);
  CHECK(Sign{}(2.f) == 1.f);
  CHECK(Step{}(0.f) == 0.f);
  CHECK(Step{}(1e-30f) == 1.f);
  CHECK(Abs{}(-2.0) == 2.0);
  CHECK(Greater{}(1.f, 1.f) == 0.f);
  CHECK(Greater{}(2.f, 1.f) == 1.f);
  CHECK(Maximum{}(1.f, 2.f) == 2.f);
  CHECK(ReluGradient{}(3.f, 0.f) == 0.f);
  CHECK(ReluGradient{}(3.f, 1.f) == 3.f);
}

TEST_CASE("relu lets numbers that are none through") {
  CHECK(Relu{}(-1.f) == 0.f);
  CHECK(Relu{}(2.f) == 2.f);
  CHECK(std::isnan(Relu{}(none)));
}

TEST_CASE("sigmoid and softplus are exact far from zero") {
  // 1 / (1 + e^80) = e^-80 (1 - e^-80 ...): 1.8048513878454153e-35
  CHECK(Sigmoid{}(-80.0) == doctest::Approx(1.8048513878454153e-35).epsilon(1e-14));
  CHECK(Sigmoid{}(-80.f) == doctest::Approx(1.8048514e-35f).epsilon(1e-6));
  CHECK(Sigmoid{}(0.0) == 0.5);
  CHECK(Softplus{}(-80.0) == doctest::Approx(1.8048513878454153e-35).epsilon(1e-14));
  CHECK(Softplus{}(80.0) == 80.0);
  CHECK(Softplus{}(0.0) == doctest::Approx(0.6931471805599453).epsilon(1e-15));
  CHECK(Softplus{}(1e30f) == 1e30f);
  CHECK(std::isnan(Softplus{}(none)));
  CHECK(std::isnan(Sigmoid{}(none)));
}

TEST_CASE("scalars are turned into the type of the numbers") {
  CHECK(AddScalar<double>{0.5}(1.f) == 1.5f);
  CHECK(Scale<float>{2.f}(1.5) == 3.0);
  CHECK(Power<double>{2.0}(3.f) == 9.f);
}

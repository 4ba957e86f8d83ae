// Every property of every operation, driven by the table.
#include <doctest/doctest.h>

#include <cstring>

#include "limn/autograd/check.hpp"
#include "limn/core/parallel.hpp"
#include "table.hpp"

using namespace limn;
using table::Array, table::Case, table::Op, table::random_gradients, table::random_values;

namespace {

std::vector<Array> draw(const Case& c, Random& random) {
  std::vector<Array> out;
  for (const auto& input : c.inputs) out.push_back(table::draw(input, random));
  return out;
}

template <Backend B>
std::vector<Var<B>> leaves(const Case& c, const std::vector<Array>& at) {
  std::vector<Var<B>> out;
  for (std::size_t i = 0; i < at.size(); ++i)
    out.push_back(i < c.variables ? leaf(cast<B>(at[i])) : Var<B>(cast<B>(at[i])));
  return out;
}

/// The listed cases, and after them `count` random ones.
std::vector<Case> with_random(const Op& op, int count) {
  std::vector<Case> out = op.cases;
  for (int i = 0; i < count; ++i) {
    Random random(Seed{5}, op.name, i);
    out.push_back(op.random(random));
  }
  return out;
}

std::string shapes(const Case& c) {
  std::string out;
  for (const auto& input : c.inputs) out += to_string(input.shape) + " ";
  return out;
}

/// Largest |value - expected| / max(1, |expected|); NaN counts as the worst.
template <Backend B>
double error(const Tensor<B>& value, const Array& expected) {
  REQUIRE(value.shape() == expected.shape());
  double worst = 0;
  for (Index i = 0; i < value.size(); ++i) {
    const double e = std::abs(static_cast<double>(value.data()[i]) - expected.data()[i]) /
                     std::max(1.0, std::abs(expected.data()[i]));
    if (!(e <= worst)) worst = e;
  }
  return worst;
}

/// The case's function with its constants bound, for the gradient checks.
Differentiable function_of(const Case& c, const std::vector<Array>& at) {
  return [c, at](const std::vector<Var<CpuDouble>>& x) {
    std::vector<Var<CpuDouble>> in = x;
    for (std::size_t i = c.variables; i < at.size(); ++i) in.emplace_back(at[i]);
    return std::vector{c.f64(in)};
  };
}

template <Backend B>
std::vector<Var<B>> gradients(const table::Function<B>& f, const Case& c, const std::vector<Array>& at,
                              bool create_graph, std::vector<Tensor<B>>* value = nullptr) {
  const auto all = leaves<B>(c, at);
  const auto y = f(all);
  Random random(Seed{2});
  const auto upstream = cast<B>(detail::random_like(y.shape(), random));
  if (value) value->push_back(y.value());
  const std::vector<Var<B>> x(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(c.variables));
  return grad<B>({y}, x, {.create_graph = create_graph, .upstream = {upstream}});
}

}  // namespace

TEST_CASE("every operation agrees with its plain reference, in double and in float") {
  for (const Op& op : table::all()) {
    auto cases = with_random(op, random_values);
    cases.push_back(op.large);
    for (const Case& c : cases) {
      Random random(Seed{11}, op.name);
      auto at = draw(c, random);
      CAPTURE(op.name);
      CAPTURE(shapes(c));
      CHECK(error(c.f64(leaves<CpuDouble>(c, at)).value(), c.reference(at)) < 1e-12);
      for (auto& x : at) x = cast<CpuDouble>(cast<Cpu>(x));  // the reference sees what float can hold
      // Thousands of terms of size 1 are added in the last case, and their sum may be near 0.
      const double tolerance = &c == &cases.back() ? 1e-4 : 1e-5;
      CHECK(error(c.f32(leaves<Cpu>(c, at)).value(), c.reference(at)) < tolerance);
    }
  }
}

TEST_CASE("the first derivative of every operation agrees with differences") {
  for (const Op& op : table::all())
    for (const Case& c : with_random(op, random_gradients)) {
      Random random(Seed{12}, op.name);
      const auto at = draw(c, random);
      const auto variables = std::vector(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(c.variables));
      const auto found = check_gradient(function_of(c, at), variables);
      CHECK_MESSAGE(found.error < CheckOptions{}.tolerance, op.name << " " << shapes(c) << found.where);
    }
}

TEST_CASE("the second derivative of every operation agrees with differences") {
  for (const Op& op : table::all())
    for (const Case& c : with_random(op, random_gradients)) {
      Random random(Seed{13}, op.name);
      const auto at = draw(c, random);
      const auto variables = std::vector(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(c.variables));
      const auto found = check_second_order(function_of(c, at), variables);
      CHECK_MESSAGE(found.error < CheckOptions{}.tolerance, op.name << " " << shapes(c) << found.where);
    }
}

TEST_CASE("the first derivative is the same whether it is recorded or not") {
  for (const Op& op : table::all()) {
    auto cases = with_random(op, random_gradients);
    cases.push_back(op.large);
    for (const Case& c : cases) {
      Random random(Seed{14}, op.name);
      const auto at = draw(c, random);
      const auto plain = gradients<CpuDouble>(c.f64, c, at, false), recorded = gradients<CpuDouble>(c.f64, c, at, true);
      for (std::size_t i = 0; i < plain.size(); ++i)
        CHECK_MESSAGE(error(plain[i].value(), recorded[i].value()) < 1e-10, op.name << " " << shapes(c) << i);
    }
  }
}

TEST_CASE("values and gradients have the same bits with any number of threads") {
  struct Reset {
    ~Reset() { set_threads(0); }
  } reset;
  for (const Op& op : table::all()) {
    Random random(Seed{15}, op.name);
    const auto at = draw(op.large, random);
    std::vector<Tensor<Cpu>> expected;
    for (const int threads : {1, 2, 3, 8}) {
      set_threads(threads);
      std::vector<Tensor<Cpu>> found;
      for (const bool create_graph : {false, true})
        for (auto& g : gradients<Cpu>(op.large.f32, op.large, at, create_graph, &found)) found.push_back(g.value());
      if (threads == 1) expected = found;
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK_MESSAGE(std::memcmp(found[i].data(), expected[i].data(), found[i].span().size_bytes()) == 0,
                      op.name << ", " << threads << " threads, result " << i);
    }
  }
}

TEST_CASE("shapes that do not fit are refused with a message that names them") {
  for (const Op& op : table::all())
    for (const auto& refused : op.refused) {
      std::string message = "nothing was thrown";
      try {
        refused.call();
      } catch (const ShapeError& e) {
        message = e.what();
      }
      CHECK_MESSAGE(message.find(refused.message) != std::string::npos,
                    op.name << ": expected '" << refused.message << "', got '" << message << "'");
    }
}

TEST_CASE("the size of the table") {
  std::size_t cases = 0, refused = 0;
  for (const Op& op : table::all()) {
    CHECK_MESSAGE(!op.cases.empty(), op.name);
    cases += op.cases.size();
    refused += op.refused.size();
  }
  const std::size_t ops = table::all().size();
  MESSAGE("ops: " << ops << ", cases: " << cases << " (and " << ops * random_values
                  << " of random shapes), refused calls: " << refused);
}

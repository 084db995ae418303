#include <tcrops/core/rng.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <layer_passes.hpp>
#include <vector>

namespace tcrops::nn {
namespace {

std::vector<float> drawn(std::uint64_t seed, std::size_t count, double mean, double deviation) {
  Rng rng(seed, "layer_passes_test");
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(mean + deviation * rng.normal());
  return values;
}

double activation_of(double x, FusedActivation kind) {
  if (x > 0.0) return x;
  return kind == FusedActivation::kElu ? std::exp(x) - 1.0 : 0.0;
}

// The layer in double precision, of values that may be moved by one step of a difference quotient.
std::vector<double> layer(const std::vector<double>& values, double scale, double shift,
                          double epsilon, FusedActivation kind) {
  const auto n = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double value : values) mean += value / n;
  double variance = 0.0;
  for (const double value : values) variance += (value - mean) * (value - mean) / n;
  std::vector<double> out;
  for (const double value : values) {
    out.push_back(
        activation_of(scale * (value - mean) / std::sqrt(variance + epsilon) + shift, kind));
  }
  return out;
}

constexpr double kEpsilon = 1e-5;

TEST_CASE("normalisation and activation are those of double precision, for any number of rows") {
  for (const FusedActivation kind : {FusedActivation::kElu, FusedActivation::kRelu}) {
    for (const std::size_t rows : {2U, 15U, 16U, 17U, 31U, 64U, 1000U, 2048U}) {
      // A mean far from 0 beside the deviation is what single precision is bad at.
      std::vector<float> values = drawn(rows, rows, 30.0, 0.5);
      const std::vector<double> exact(values.begin(), values.end());
      const std::vector<double> expected = layer(exact, 1.3, -0.2, kEpsilon, kind);
      std::vector<float> out(rows);
      const Moments moments = normalise_forward(values, out, 1.3F, -0.2F, kEpsilon, kind);
      for (std::size_t i = 0; i < rows; ++i) {
        INFO(rows << " rows, row " << i);
        CHECK(std::abs(static_cast<double>(out[i]) - expected[i]) < 3e-5);
      }
      CHECK(moments.mean == Approx(30.0).margin(1.0));
      CHECK(moments.variance > 0.0);
    }
  }
}

TEST_CASE("the gradients of a normalised layer are its difference quotients") {
  for (const FusedActivation kind : {FusedActivation::kElu, FusedActivation::kRelu}) {
    constexpr std::size_t kRows = 37;
    constexpr double kScale = 0.8;
    constexpr double kShift = 0.3;
    std::vector<float> values = drawn(5, kRows, -1.0, 2.0);
    const std::vector<double> exact(values.begin(), values.end());
    const std::vector<float> weights = drawn(6, kRows, 0.0, 1.0);  // of the rows in a loss
    const auto loss = [&](const std::vector<double>& at, double scale, double shift) {
      const std::vector<double> out = layer(at, scale, shift, kEpsilon, kind);
      double sum = 0.0;
      for (std::size_t i = 0; i < kRows; ++i) sum += static_cast<double>(weights[i]) * out[i];
      return sum;
    };
    std::vector<float> out(kRows);
    const Moments moments = normalise_forward(values, out, static_cast<float>(kScale),
                                              static_cast<float>(kShift), kEpsilon, kind);
    std::vector<float> gradient = weights;
    const NormGradients found = normalise_backward(
        values, out, gradient, static_cast<float>(kScale), moments.variance, kEpsilon, kind);
    constexpr double kStep = 1e-6;
    const auto quotient = [&](double up, double down) { return (up - down) / (2.0 * kStep); };
    CHECK(found.scale ==
          Approx(quotient(loss(exact, kScale + kStep, kShift), loss(exact, kScale - kStep, kShift)))
              .margin(1e-4));
    CHECK(found.shift ==
          Approx(quotient(loss(exact, kScale, kShift + kStep), loss(exact, kScale, kShift - kStep)))
              .margin(1e-4));
    for (std::size_t i = 0; i < kRows; ++i) {
      std::vector<double> up = exact;
      std::vector<double> down = exact;
      up[i] += kStep;
      down[i] -= kStep;
      INFO("row " << i);
      CHECK(static_cast<double>(gradient[i]) ==
            Approx(quotient(loss(up, kScale, kShift), loss(down, kScale, kShift))).margin(1e-4));
    }
  }
}

TEST_CASE("a layer without normalisation, forwards and backwards") {
  for (const FusedActivation kind : {FusedActivation::kElu, FusedActivation::kRelu}) {
    std::vector<float> values = drawn(7, 45, 0.0, 3.0);
    values[3] = -200.0F;  // exp of it is no longer a normal number
    const std::vector<float> before = values;
    activate_forward(values, 0.5F, kind);
    std::vector<float> gradient(values.size(), 2.0F);
    const double bias = activate_backward(values, gradient, kind);
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double x = static_cast<double>(before[i]) + 0.5;
      CHECK(static_cast<double>(values[i]) == Approx(activation_of(x, kind)).margin(2e-6));
      const double slope = x > 0.0 ? 1.0 : kind == FusedActivation::kElu ? std::exp(x) : 0.0;
      CHECK(static_cast<double>(gradient[i]) == Approx(2.0 * slope).margin(2e-6));
      sum += static_cast<double>(gradient[i]);
    }
    CHECK(bias == Approx(sum).margin(1e-6));
  }
}

TEST_CASE("what is no number stays none") {
  std::vector<float> values = {1.0F, std::nanf(""), 3.0F};
  std::vector<float> out(3);
  normalise_forward(values, out, 1.0F, 0.0F, kEpsilon, FusedActivation::kElu);
  for (const float value : out) CHECK(std::isnan(value));
  std::vector<float> alone = {std::nanf("")};
  activate_forward(alone, 0.0F, FusedActivation::kElu);
  CHECK(std::isnan(alone[0]));
}

TEST_CASE("a step of Adam is that of double precision") {
  std::vector<float> weights = drawn(8, 33, 0.0, 1.0);
  std::vector<float> first = drawn(9, 33, 0.0, 0.1);
  std::vector<float> second(33);
  const std::vector<float> gradients = drawn(10, 33, 0.0, 1.0);
  for (std::size_t i = 0; i < 33; ++i) second[i] = gradients[i] * gradients[i] * 0.01F;
  const std::vector<double> w(weights.begin(), weights.end());
  const std::vector<double> m(first.begin(), first.end());
  const std::vector<double> v(second.begin(), second.end());
  adam_step({0.9F, 0.999F, 0.01F, 0.5F, 1e-8F}, weights, gradients, first, second);
  for (std::size_t i = 0; i < 33; ++i) {
    const auto g = static_cast<double>(gradients[i]);
    const double m1 = 0.9 * m[i] + 0.1 * g;
    const double v1 = 0.999 * v[i] + 0.001 * g * g;
    CHECK(static_cast<double>(weights[i]) ==
          Approx(w[i] - 0.01 * m1 / (std::sqrt(v1) / 0.5 + 1e-8)).margin(1e-6));
  }
}

}  // namespace
}  // namespace tcrops::nn

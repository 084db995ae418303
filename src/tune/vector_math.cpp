#include "vector_math.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tcrops::tune {
namespace {

constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

constexpr double kPerLogTwo = 1.4426950408889634;  // 1 / log 2
// log 2 in two parts, the first short enough for its product with an exponent to be exact.
constexpr double kLogTwoHigh = 0x1.62e42fefa0000p-1;
constexpr double kLogTwoLow = 0x1.cf79abc9e3b3ap-40;
constexpr double kRounder = 0x1.8p52;  // added and taken off, it rounds to a whole number
constexpr double kLeast = -690.0;      // log of 1e-300

// exp(x) = 2^n exp(r), r = x - n log 2 in [-log(2) / 2, log(2) / 2] by its Taylor series.
double exp_of_negative(double x) {
  const double clipped = x > kLeast ? x : kLeast;
  const double shifted = clipped * kPerLogTwo + kRounder;
  const double n = shifted - kRounder;
  const double r = (clipped - n * kLogTwoHigh) - n * kLogTwoLow;
  double sum = 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  // The low bits of `shifted` are n; 2^n by its exponent.
  const auto bits = std::bit_cast<std::uint64_t>(shifted);
  const double power = std::bit_cast<double>((bits << 52U) + (std::uint64_t{1023} << 52U));
  const double result = sum * power;
  return x > kLeast ? result : 0.0;
}

}  // namespace

void exp_below(std::span<double> values, double shift) {
  double* items = values.data();
  for (std::size_t i = 0; i < values.size(); ++i) items[i] = exp_of_negative(items[i] - shift);
}

double largest_of(std::span<const double> values) {
  const double* items = values.data();
  Lanes most;
  most.fill(items[0]);
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      most[lane] = items[i + lane] > most[lane] ? items[i + lane] : most[lane];
    }
  }
  double result = most[0];
  for (const double each : most) result = each > result ? each : result;
  for (std::size_t i = whole; i < values.size(); ++i) {
    result = items[i] > result ? items[i] : result;
  }
  return result;
}

double sum_of(std::span<const double> values) {
  const double* items = values.data();
  Lanes sums{};
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += items[i + lane];
  }
  double result = 0.0;
  for (const double each : sums) result += each;
  for (std::size_t i = whole; i < values.size(); ++i) result += items[i];
  return result;
}

}  // namespace tcrops::tune

#include <tcrops/core/number_text.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

namespace tcrops {
namespace {

constexpr int kMostDigits = 7;
// Powers of ten that a double holds exactly.
constexpr std::array kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
// The next ones below 1; those that a double lacks are a little off, which rounding makes good.
constexpr std::array kSmall = {1e0,  1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
                               1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15};

double power(int exponent) { return kPowers[static_cast<std::size_t>(exponent)]; }

// value * 10^decimals as the nearest whole number. The product is not much more than 10^7 and off
// by less than 10^-8; empty where that may matter.
std::optional<std::uint64_t> scaled(double value, int decimals) {
  constexpr double kTooNear = 1e-6;
  const double product = value * power(decimals);
  const double whole = std::floor(product);
  const double rest = product - whole;
  if (std::fabs(rest - 0.5) < kTooNear) return std::nullopt;
  return static_cast<std::uint64_t>(whole) + (rest > 0.5 ? 1U : 0U);
}

// The number over 10^decimals.
std::string with_point(std::uint64_t number, int decimals) {
  std::array<char, 32> digits{};
  std::size_t begin = digits.size();
  for (int i = 0; number > 0 || i <= decimals; ++i) {
    if (i == decimals && decimals > 0) digits[--begin] = '.';
    digits[--begin] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return {digits.data() + begin, digits.size() - begin};
}

// The largest power of ten that is no larger, of a value from 10^-15 to below 10^7.
int exponent_of(double value) {
  int exponent = 0;
  if (value < 1.0) {
    while (value < kSmall[static_cast<std::size_t>(-exponent)]) --exponent;
  } else {
    while (value >= power(exponent + 1)) ++exponent;
  }
  return exponent;
}

std::string without_zeros(std::string text) {
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string general_text(double value, int digits) {
  const bool is_usual =
      digits > 1 && digits <= kMostDigits && value >= kSmall.back() && value < power(digits);
  if (is_usual) {
    const int exponent = exponent_of(value);
    const int decimals = digits - 1 - exponent;
    const auto number = scaled(value, decimals);
    if (number && exponent >= -4 && decimals > 0)
      return without_zeros(with_point(*number, decimals));
    // Rounded up to the next power of ten it may be written otherwise.
    if (number && exponent < -4 && static_cast<double>(*number) < power(digits)) {
      return fmt::format("{}e-{:02}", without_zeros(with_point(*number, digits - 1)), -exponent);
    }
  }
  return fmt::format("{:.{}g}", value, digits);
}

std::string fixed_text(double value, int decimals) {
  const bool is_usual = decimals >= 0 && decimals <= kMostDigits && !std::signbit(value) &&
                        value < power(kMostDigits - decimals);
  if (is_usual) {
    if (const auto number = scaled(value, decimals)) return with_point(*number, decimals);
  }
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace tcrops

#include <tcrops/core/number_text.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace tcrops {
namespace {

static_assert(std::numeric_limits<double>::is_iec559);

__extension__ using Wide = unsigned __int128;

// Of a double with all its digits before the point, and some behind it.
constexpr std::size_t kLongest = 400;

// What is written quickly; the rest is left to the standard library.
constexpr int kMostDigits = 15;
constexpr int kMostDecimals = 9;
constexpr double kFixedBelow = 1e9;
// From here to 10^digits "g" is without an exponent.
constexpr int kLeastExponent = -4;

constexpr std::array kPowers = {1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

constexpr std::array<std::uint64_t, 19> kWholePowers = [] {
  std::array<std::uint64_t, 19> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 10 * powers[i - 1];
  return powers;
}();

// "00" to "99".
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

void append_slowly(std::string& to, double value, std::chars_format form, int precision) {
  std::array<char, kLongest> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, form, precision);
  if (error != std::errc()) throw std::length_error("a number with too many decimals");
  to.append(text.data(), end);
}

std::uint64_t power_of_ten(int exponent) {
  return kWholePowers[static_cast<std::size_t>(exponent)];
}

// The whole number next to value * 10^decimals, the even one of two, for values in [0, 1e15),
// decimals up to 18 and a result below 2^63. Nothing is lost on the way: a double is a whole
// number of 53 bits over a power of two, which times 10^18 has fewer than 113 bits.
std::uint64_t scaled(double value, int decimals) {
  constexpr int kFractionBits = 52;
  constexpr int kBias = 1075;  // of the exponent when the fraction is taken for a whole number
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int shift = kBias - static_cast<int>(bits >> kFractionBits);  // at least 3
  // Less than a half, zeros and denormals among them, which have no hidden bit.
  if (shift > 127) return 0;
  constexpr std::uint64_t kHiddenBit = std::uint64_t{1} << kFractionBits;
  const Wide product = Wide{(bits & (kHiddenBit - 1)) | kHiddenBit} * power_of_ten(decimals);
  const Wide half = Wide{1} << (shift - 1);
  const Wide rest = product & (2 * half - 1);
  const auto whole = static_cast<std::uint64_t>(product >> shift);
  const bool up = rest > half || (rest == half && whole % 2 == 1);
  return whole + (up ? 1 : 0);
}

// The exponent of the largest double of kPowers that is not above `value`. Only when that double is
// itself, by less than a part in 2^53, below the power it stands for can the power be above
// `value`, and then `value` of kMostDigits digits is that power.
int decimal_exponent(double value) {
  // A power of two is at least 10^(this), as 1233 / 4096 is just below its logarithm.
  const int exponent =
      (static_cast<int>(std::bit_cast<std::uint64_t>(value) >> 52) - 1023) * 1233 >> 12;
  const int least = std::max(exponent, kLeastExponent);
  return least + (kPowers[static_cast<std::size_t>(least + 1 - kLeastExponent)] <= value ? 1 : 0);
}

// number / 10^decimals with its sign.
class Decimal {
 public:
  Decimal(bool negative, std::uint64_t number, int decimals) {
    for (; decimals >= 2; decimals -= 2) {
      put_pair(number % 100);
      number /= 100;
    }
    if (decimals == 1) {
      *--begin_ = static_cast<char>('0' + number % 10);
      number /= 10;
    }
    if (begin_ != end_) *--begin_ = '.';
    for (; number >= 100; number /= 100) put_pair(number % 100);
    if (number >= 10)
      put_pair(number);
    else
      *--begin_ = static_cast<char>('0' + number);
    if (negative) *--begin_ = '-';
  }

  // For a number with decimals.
  void drop_trailing_zeros() {
    while (end_[-1] == '0') --end_;
    if (end_[-1] == '.') --end_;
  }

  void append_to(std::string& to) const {
    to.append(begin_, static_cast<std::size_t>(end_ - begin_));
  }

 private:
  void put_pair(std::uint64_t number) {
    begin_ -= 2;
    std::copy_n(&kPairs[2 * number], 2, begin_);
  }

  std::array<char, 32> text_;  // a sign, 20 digits and a point at most
  char* end_ = text_.data() + text_.size();
  char* begin_ = end_;
};

}  // namespace

void append_general(std::string& to, double value, int digits) {
  const double magnitude = std::abs(value);
  if (digits < 1 || digits > kMostDigits || !(magnitude >= kPowers.front()) ||
      magnitude >= kPowers.back()) {
    append_slowly(to, value, std::chars_format::general, digits);
    return;
  }
  int decimals = digits - 1 - decimal_exponent(magnitude);
  std::uint64_t number = decimals < 0 ? 0 : scaled(magnitude, decimals);
  if (number == power_of_ten(digits)) {  // rounded up to the next power of ten
    number /= 10;
    --decimals;
  }
  if (decimals < 0) {
    append_slowly(to, value, std::chars_format::general, digits);
    return;
  }
  Decimal text(std::signbit(value), number, decimals);
  if (decimals > 0) text.drop_trailing_zeros();
  text.append_to(to);
}

void append_fixed(std::string& to, double value, int decimals) {
  const double magnitude = std::abs(value);
  if (decimals < 0 || decimals > kMostDecimals || !(magnitude < kFixedBelow)) {
    append_slowly(to, value, std::chars_format::fixed, decimals);
    return;
  }
  Decimal(std::signbit(value), scaled(magnitude, decimals), decimals).append_to(to);
}

}  // namespace tcrops

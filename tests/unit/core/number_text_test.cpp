#include <tcrops/core/number_text.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <string>

using namespace tcrops;

namespace {

using Append = void (*)(std::string&, double, int);

void check_one(Append append, double value, int digits, const std::string& wanted) {
  std::string written = "kept";
  append(written, value, digits);
  written.erase(0, 4);
  if (written == wanted) return;  // an assertion each would take longer than the numbers
  CAPTURE(value);
  REQUIRE(written == wanted);
}

// With so many digits and decimals, and one more than are written quickly.
void check_both(double value) {
  for (int digits = 0; digits <= 16; ++digits)
    check_one(append_general, value, digits, fmt::format("{:.{}g}", value, digits));
  for (int decimals = 0; decimals <= 10; ++decimals)
    check_one(append_fixed, value, decimals, fmt::format("{:.{}f}", value, decimals));
}

void check_around(double value) {
  for (const double each : {value, -value}) {
    check_both(each);
    check_both(std::nextafter(each, 0.0));
    check_both(std::nextafter(each, 1e301));
  }
}

}  // namespace

TEST_CASE("numbers are written as fmt writes them") {
  for (const double value :
       {0.0,         -0.0,   1.0,     -1.0,      0.5,       0.25,          0.125,     2.5,
        12.345,      0.0005, 0.00015, 99.95,     99.995,    999.5,         9.9999999, 0.99999995,
        0.999999949, 0.1,    0.01,    0.001,     0.0001,    0.00009999999, 1e-5,      1e-300,
        5e-324,      1e6,    1e7,     9999999.5, 123456.75, 1e15,          1e300}) {
    check_around(value);
  }
  check_both(std::numeric_limits<double>::infinity());
  check_both(-std::numeric_limits<double>::infinity());
  check_both(std::numeric_limits<double>::quiet_NaN());
  Rng rng(7, "numbers");
  for (int i = 0; i < 5'000; ++i) {
    const double share = rng.uniform();
    check_both(share);
    check_both(share * 100.0);
    check_both(1.0 / (1.0 + std::exp(60.0 * (share - 0.5))));
    // Halves of the last digit, and what a share of few rows gives.
    check_both(std::round(share * 1e4) / 1e4 + 5e-5);
    check_both(100.0 * std::round(share * 960.0) / 960.0);
  }
}

TEST_CASE("numbers are written as fmt writes them next to powers of ten and to halves") {
  for (int exponent = -8; exponent <= 17; ++exponent) {
    const double power = std::pow(10.0, exponent);
    check_around(power);
    for (int digits = 1; digits <= 17; ++digits) {
      check_around(power - 0.5 * power * std::pow(10.0, -digits));
      check_around(power + 0.5 * power * std::pow(10.0, -digits));
    }
  }
  Rng rng(7, "halves");
  for (int i = 0; i < 5'000; ++i) {
    // Of these many are halves of some digit to the last bit.
    const double odd = std::floor(rng.uniform() * 100'000.0);
    check_around(std::ldexp(odd, -static_cast<int>(rng.uniform() * 20.0)));
  }
}

TEST_CASE("numbers of all magnitudes are written as fmt writes them") {
  Rng rng(7, "magnitudes");
  for (int i = 0; i < 10'000; ++i) {
    check_both((1.0 + rng.uniform()) * std::pow(10.0, 30.0 * rng.uniform() - 12.0));
    check_both(-std::ldexp(1.0 + rng.uniform(), static_cast<int>(2097.0 * rng.uniform()) - 1074));
  }
}

TEST_CASE("numbers are appended to what is there") {
  std::string text = "a";
  append_general(text, 0.25, 7);
  append_fixed(text, -1.0, 2);
  append_general(text, 1e-9, 3);
  append_fixed(text, 1e9, 1);
  REQUIRE(text == "a0.25-1.001e-091000000000.0");
}

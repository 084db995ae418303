#include <tcrops/core/number_text.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>
#include <cmath>
#include <limits>

using namespace tcrops;

namespace {

void check_both(double value) {
  CAPTURE(value);
  for (int digits = 1; digits <= 9; ++digits)
    REQUIRE(general_text(value, digits) == fmt::format("{:.{}g}", value, digits));
  for (int decimals = 0; decimals <= 8; ++decimals)
    REQUIRE(fixed_text(value, decimals) == fmt::format("{:.{}f}", value, decimals));
}

}  // namespace

TEST_CASE("numbers are written as fmt writes them") {
  for (const double value :
       {0.0,         -0.0,   1.0,     -1.0,      0.5,       0.25,          0.125,     2.5,
        12.345,      0.0005, 0.00015, 99.95,     99.995,    999.5,         9.9999999, 0.99999995,
        0.999999949, 0.1,    0.01,    0.001,     0.0001,    0.00009999999, 1e-5,      1e-300,
        5e-324,      1e6,    1e7,     9999999.5, 123456.75, 1e15,          1e300}) {
    check_both(value);
    check_both(std::nextafter(value, 0.0));
    check_both(std::nextafter(value, 1e301));
  }
  check_both(std::numeric_limits<double>::infinity());
  check_both(-std::numeric_limits<double>::infinity());
  check_both(std::numeric_limits<double>::quiet_NaN());
  Rng rng(7, "numbers");
  for (int i = 0; i < 20'000; ++i) {
    const double share = rng.uniform();
    check_both(share);
    check_both(share * 100.0);
    check_both(1.0 / (1.0 + std::exp(60.0 * (share - 0.5))));
    // Halves of the last digit, and what a share of few rows gives.
    check_both(std::round(share * 1e4) / 1e4 + 5e-5);
    check_both(100.0 * std::round(share * 960.0) / 960.0);
  }
}

#include "truncated_normal.hpp"

#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace tcrops::tune {
namespace {

TEST_CASE("log_ndtr is accurate from the far left to the right") {
  CHECK(log_ndtr(0.0) == Approx(std::log(0.5)).epsilon(1e-14));
  // Values of scipy.special.log_ndtr.
  CHECK(log_ndtr(-1.0) == Approx(-1.8410216450092636).epsilon(1e-13));
  CHECK(log_ndtr(-10.0) == Approx(-53.23128515051247).epsilon(1e-13));
  CHECK(log_ndtr(-19.99) == Approx(-203.71670771720844).epsilon(1e-12));
  CHECK(log_ndtr(-20.01) == Approx(-204.11770277865995).epsilon(1e-12));
  CHECK(log_ndtr(-40.0) == Approx(-804.6084420137538).epsilon(1e-13));
  CHECK(log_ndtr(5.0) == Approx(-2.866516129637636e-07).epsilon(1e-12));
  CHECK(log_ndtr(-std::numeric_limits<double>::infinity()) < -1e300);
}

TEST_CASE("inverse_log_ndtr undoes log_ndtr") {
  for (const double x : {-60.0, -20.0, -6.0, -2.0, -0.3, 0.0, 0.4, 1.0, 3.0, 6.0}) {
    CHECK(inverse_log_ndtr(log_ndtr(x)) == Approx(x).epsilon(1e-9).margin(1e-12));
  }
}

TEST_CASE("log_mass keeps its digits in both tails") {
  CHECK(log_mass(-1.0, 1.0) == Approx(std::log(0.6826894921370859)).epsilon(1e-14));
  CHECK(log_mass(30.0, 31.0) == Approx(log_mass(-31.0, -30.0)).epsilon(1e-14));
  CHECK(log_mass(30.0, 31.0) == Approx(log_ndtr(-30.0)).epsilon(1e-12));
  CHECK(log_mass(0.0, 40.0) == Approx(std::log(0.5)).epsilon(1e-14));
}

TEST_CASE("log_cell_mass is log_mass, but for what is lost beside 1") {
  for (const double a : {-40.0, -31.0, -25.0, -9.0, -8.4, -1.0, 0.0, 0.3, 7.0, 29.0, 35.0}) {
    for (const double width : {1e-3, 0.2, 1.0, 5.0, 30.0, 100.0}) {
      CAPTURE(a, width);
      CHECK(log_cell_mass(a, a + width) ==
            Approx(log_mass(a, a + width)).epsilon(1e-11).margin(1e-12));
    }
  }
}

TEST_CASE("truncated_quantile stays inside and splits the mass") {
  const std::vector<std::pair<double, double>> ranges = {
      {-1.0, 2.0}, {-9.0, -8.0}, {8.0, 9.0}, {-0.01, 0.01}, {0.5, 100.0}, {-100.0, 0.0}};
  for (const auto& [a, b] : ranges) {
    double before = a;
    for (const double q : {1e-15, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-15}) {
      const double x = truncated_quantile(q, a, b);
      CHECK(x >= before);
      CHECK(x <= b);
      before = x;
      if (q > 0.001 && q < 0.999) {
        CHECK(std::exp(log_mass(a, x) - log_mass(a, b)) == Approx(q).epsilon(1e-7));
      }
    }
  }
}

TEST_CASE("log_sum_exp does not overflow") {
  CHECK(log_sum_exp(1000.0, 1000.0) == Approx(1000.0 + std::log(2.0)));
  CHECK(log_sum_exp(-2000.0, -1000.0) == Approx(-1000.0));
}

}  // namespace
}  // namespace tcrops::tune

#include "vector_math.hpp"

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace tcrops::tune {
namespace {

TEST_CASE("exp_below agrees with exp to the last digits") {
  std::vector<double> values;
  for (int i = 0; i <= 68000; ++i) values.push_back(-0.01 * i);
  std::vector<double> result = values;
  exp_below(result, 0.0);
  double worst = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = std::exp(values[i]);
    worst = std::max(worst, std::abs(result[i] - expected) / expected);
  }
  CHECK(worst < 5e-16);
  CHECK(result[0] == 1.0);
  std::vector<double> shifted = {999.0, 1000.0, -1e9, -std::numeric_limits<double>::infinity()};
  exp_below(shifted, 1000.0);
  CHECK(shifted[0] == Approx(std::exp(-1.0)).epsilon(1e-15));
  CHECK(shifted[1] == 1.0);
  CHECK(shifted[2] == 0.0);
  CHECK(shifted[3] == 0.0);
}

TEST_CASE("sums and largest values of any count") {
  for (const std::size_t count : {1U, 2U, 7U, 8U, 9U, 16U, 1001U}) {
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = std::sin(static_cast<double>(i * i)) - 5.0;
    }
    CHECK(sum_of(values) ==
          Approx(std::accumulate(values.begin(), values.end(), 0.0)).epsilon(1e-14));
    CHECK(largest_of(values) == *std::max_element(values.begin(), values.end()));
    values.back() = 3.0;
    CHECK(largest_of(values) == 3.0);
    values.front() = 4.0;
    CHECK(largest_of(values) == 4.0);
  }
}

}  // namespace
}  // namespace tcrops::tune

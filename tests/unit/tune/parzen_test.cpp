#include "parzen.hpp"

#include "kernel_rules.hpp"

#include <catch_all.hpp>
#include <cmath>
#include <numeric>

namespace tcrops::tune {
namespace {

const Axis kUnit{Axis::Kind::kContinuous, -1.0, 1.0};
const Axis kEight{Axis::Kind::kGrid, 0.5, 8.5, 8, 1.0};  // 1 to 8

// Of observations by row, their weights by age.
ParzenEstimator estimator_of(std::vector<Axis> axes, const std::vector<Coordinates>& rows,
                             const TpeOptions& options = {}) {
  Columns columns(axes.size());
  for (const Coordinates& row : rows) {
    for (std::size_t a = 0; a < axes.size(); ++a) columns[a].push_back(row[a]);
  }
  std::vector<double> weights = age_weights(rows.size());
  weights.push_back(options.prior_weight);
  return {std::move(axes), columns, std::move(weights), options};
}

void check_equal(const std::vector<double>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(values[i] == Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("widths and densities of the Optuna 5.0 form") {
  const ParzenEstimator below = estimator_of({kUnit}, {{-0.4}, {0.1}});
  const ParzenEstimator above = estimator_of({kUnit}, {{0.9}, {-0.9}, {0.5}, {0.3}});
  check_equal(below.widths(0), {0.5, 0.5, 2.0});
  check_equal(above.widths(0), {0.4, 1.2, 0.4, 1.2, 2.0});
  check_equal(below.weights(), {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0});
  const auto score = [&](double x) { return below.log_density({x}) - above.log_density({x}); };
  CHECK(score(-0.5) == Approx(0.582307690).margin(1e-8));
  CHECK(score(0.0) == Approx(0.395392546).margin(1e-8));
  CHECK(score(0.25) == Approx(-0.015681745).margin(1e-8));
  CHECK(score(0.8) == Approx(-0.968632626).margin(1e-8));
}

TEST_CASE("a single observation reaches to the far end, equal ones are as narrow as allowed") {
  check_equal(estimator_of({kUnit}, {{-0.4}}).widths(0), {1.4, 2.0});
  check_equal(estimator_of({kUnit}, {{0.2}, {0.2}}).widths(0), {0.5, 0.5, 2.0});
  const std::vector<Coordinates> many(200, Coordinates{0.2});
  CHECK(estimator_of({kUnit}, many).widths(0).front() == Approx(0.02));
}

TEST_CASE("without observations there is only the prior") {
  const ParzenEstimator prior = estimator_of({kUnit}, {});
  check_equal(prior.weights(), {1.0});
  check_equal(prior.widths(0), {2.0});
}

TEST_CASE("age weights favour the newest 25") {
  CHECK(age_weights(0).empty());
  check_equal(age_weights(25), std::vector<double>(25, 1.0));
  CHECK(age_weights(26).front() == Approx(1.0 / 26.0));
  const std::vector<double> weights = age_weights(28);
  check_equal({weights.begin(), weights.begin() + 4},
              {1.0 / 28.0, (1.0 + 1.0 / 28.0) / 2.0, 1.0, 1.0});
}

TEST_CASE("a category's kernel is smoothed by the number of kernels") {
  const Axis axis{Axis::Kind::kCategory, 0.0, 1.0, 3};
  const ParzenEstimator estimator = estimator_of({axis}, {{2.0}});
  // Seen: (1/2, 1/2, 3/2) / (5/2); prior: thirds; half each.
  CHECK(std::exp(estimator.log_density({2.0})) == Approx((0.6 + 1.0 / 3.0) / 2.0));
  CHECK(std::exp(estimator.log_density({0.0})) == Approx((0.2 + 1.0 / 3.0) / 2.0));
}

TEST_CASE("densities sum to 1 on every kind of axis") {
  const std::vector<Coordinates> seen = {{-0.4, 3.0, 0.0}, {0.95, 7.0, 1.0}};
  const Axis category{Axis::Kind::kCategory, 0.0, 1.0, 2};
  const ParzenEstimator estimator = estimator_of({kUnit, kEight, category}, seen);
  double sum = 0.0;
  constexpr int kCells = 1000;
  for (int cell = 0; cell < kCells; ++cell) {
    const double x = -1.0 + 2.0 * (cell + 0.5) / kCells;
    for (int i = 1; i <= 8; ++i) {
      for (int c = 0; c < 2; ++c) {
        sum += std::exp(estimator.log_density({x, double(i), double(c)})) * 2.0 / kCells;
      }
    }
  }
  CHECK(sum == Approx(1.0).epsilon(1e-5));
}

TEST_CASE("draws follow the density") {
  const std::vector<Coordinates> seen = {{-0.4, 3.0, 0.0}, {0.95, 7.0, 1.0}};
  const Axis category{Axis::Kind::kCategory, 0.0, 1.0, 2};
  constexpr int kDraws = 20000;
  Rng rng(1, "test.parzen");
  const ParzenEstimator estimator = estimator_of({kUnit, kEight, category}, seen);
  std::vector<double> integers(9, 0.0);
  std::vector<double> categories(2, 0.0);
  double left = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const Coordinates point = estimator.draw(rng);
    REQUIRE(point[0] >= -1.0);
    REQUIRE(point[0] <= 1.0);
    REQUIRE(point[1] >= 1.0);
    REQUIRE(point[1] <= 8.0);
    REQUIRE(point[1] == std::floor(point[1]));
    left += point[0] < 0.0 ? 1.0 / kDraws : 0.0;
    integers[static_cast<std::size_t>(point[1])] += 1.0 / kDraws;
    categories[static_cast<std::size_t>(point[2])] += 1.0 / kDraws;
  }
  const ParzenEstimator second = estimator_of({kEight}, {{3.0}, {7.0}});
  for (std::size_t i = 1; i <= 8; ++i) {
    const double expected = std::exp(second.log_density({static_cast<double>(i)}));
    CHECK(integers[i] == Approx(expected).margin(0.015));
  }
  CHECK(categories[0] == Approx(0.5).margin(0.015));
  const ParzenEstimator first = estimator_of({kUnit}, {{-0.4}, {0.95}});
  double expected_left = 0.0;
  for (int cell = 0; cell < 1000; ++cell) {
    expected_left += std::exp(first.log_density({-1.0 + (cell + 0.5) / 1000.0})) / 1000.0;
  }
  CHECK(left == Approx(expected_left).margin(0.015));
}

}  // namespace
}  // namespace tcrops::tune

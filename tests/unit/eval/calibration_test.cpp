#include <tcrops/core/rng.hpp>
#include <tcrops/eval/calibration.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <utility>
#include <vector>

namespace tcrops::eval {
namespace {

struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;
};

Rows drawn(std::size_t count, double slope, double intercept, std::uint64_t seed) {
  Rng rng(seed, "calibration_test");
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.scores.push_back(3.0 * rng.normal());
    const double p = PlattCurve{slope, intercept}.at(rows.scores.back());
    rows.labels.push_back(rng.uniform() < p ? 1 : 0);
  }
  return rows;
}

TEST_CASE("Platt's curve is the one of scikit-learn") {
  // sklearn.calibration._sigmoid_calibration, scikit-learn 1.2.1; the signs of both are turned.
  const std::vector<double> scores = {-3, -2.5, -2, -1, -0.5, 0, 0.25, 0.5, 1, 2, 2.5, 4};
  const std::vector<std::uint8_t> labels = {0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1};
  const auto curve = fit_platt(labels, scores);
  REQUIRE(curve);
  CHECK(curve->slope == Approx(0.321266).epsilon(1e-4));
  CHECK(curve->intercept == Approx(-0.374723).epsilon(1e-4));
}

TEST_CASE("Platt's curve finds the one that made the labels") {
  const Rows rows = drawn(200'000, 0.7, -2.0, 1);
  const auto curve = fit_platt(rows.labels, rows.scores);
  REQUIRE(curve);
  CHECK(curve->slope == Approx(0.7).epsilon(0.02));
  CHECK(curve->intercept == Approx(-2.0).epsilon(0.02));
}

TEST_CASE("Platt's curve stays finite where the classes are apart, far off or few") {
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1};
  for (const auto& scores : {std::vector<double>{-2, -1, 1, 2},
                             {-2000, -1000, 1000, 2000},
                             {1e6, 1e6, 1e6 + 1, 1e6 + 1},
                             {5, 5, 5, 5},
                             {2, 1, -1, -2}}) {
    const auto curve = fit_platt(labels, scores);
    REQUIRE(curve);
    for (const double score : scores) {
      CHECK(std::isfinite(curve->at(score)));
      CHECK(curve->at(score) > 0.0);
      CHECK(curve->at(score) < 1.0);
    }
  }
  const auto level = fit_platt(labels, std::vector<double>{5, 5, 5, 5});
  CHECK(level->at(5) == Approx(0.5));
  CHECK(PlattCurve{1.0, 0.0}.at(-1e9) == 0.0);
  CHECK(PlattCurve{1.0, 0.0}.at(1e9) == 1.0);
}

TEST_CASE("without both classes there is no curve") {
  const std::vector<double> scores = {1, 2};
  for (const auto& labels : {std::vector<std::uint8_t>{0, 0}, {1, 1}}) {
    CHECK_FALSE(fit_platt(labels, scores));
    CHECK_FALSE(fit_isotonic(labels, scores));
  }
  CHECK_FALSE(fit_platt({}, {}));
  CHECK_FALSE(fit_isotonic({}, {}));
}

TEST_CASE("the isotonic curve pools what falls") {
  const auto curve =
      fit_isotonic(std::vector<std::uint8_t>{0, 1, 0, 1, 1}, std::vector<double>{5, 1, 2, 6, 7});
  REQUIRE(curve);
  CHECK(curve->scores == std::vector<double>{1, 5, 6, 7});
  CHECK(curve->values[0] == Approx(1.0 / 3.0));
  CHECK(curve->values[1] == Approx(1.0 / 3.0));
  CHECK(curve->values[2] == 1.0);
  CHECK(curve->at(-9) == curve->values.front());
  CHECK(curve->at(3) == Approx(1.0 / 3.0));
  CHECK(curve->at(5.5) == Approx(2.0 / 3.0));
  CHECK(curve->at(99) == 1.0);
}

TEST_CASE("the isotonic curve has the least squared error of all rising ones") {
  // By the minimax formula: the value at i is max over a <= i of min over b >= i of mean(a..b).
  const Rows rows = drawn(60, 0.5, 0.0, 3);
  const auto curve = fit_isotonic(rows.labels, rows.scores);
  REQUIRE(curve);
  std::vector<std::pair<double, double>> sorted;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    sorted.emplace_back(rows.scores[i], rows.labels[i]);
  }
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    double best = 0.0;
    for (std::size_t a = 0; a <= i; ++a) {
      double least = 1.0;
      double sum = 0.0;
      for (std::size_t b = a; b < sorted.size(); ++b) {
        sum += sorted[b].second;
        if (b >= i) least = std::min(least, sum / static_cast<double>(b - a + 1));
      }
      best = std::max(best, least);
    }
    CHECK(curve->at(sorted[i].first) == Approx(best).margin(1e-12));
  }
}

TEST_CASE("equal scores count as one") {
  const auto curve =
      fit_isotonic(std::vector<std::uint8_t>{0, 1, 1, 1}, std::vector<double>{1, 1, 1, 2});
  REQUIRE(curve);
  CHECK(curve->at(1) == Approx(2.0 / 3.0));
  CHECK(curve->at(2) == 1.0);
}

}  // namespace
}  // namespace tcrops::eval

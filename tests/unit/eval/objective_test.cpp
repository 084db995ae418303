#include <tcrops/core/error.hpp>
#include <tcrops/eval/objective.hpp>

#include <catch_all.hpp>
#include <limits>

namespace tcrops::eval {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Labels and probabilities that have these counts at threshold 0.5.
struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<double> probabilities;

  explicit Rows(const Confusion& counts) {
    add(1, 0.9, counts.true_positive);
    add(0, 0.8, counts.false_positive);
    add(0, 0.1, counts.true_negative);
    add(1, 0.2, counts.false_negative);
  }
  void add(std::uint8_t label, double probability, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      labels.push_back(label);
      probabilities.push_back(probability);
    }
  }
};

// 893 rows with 70 positives, the only counts that fit the published accuracy and precision.
constexpr Confusion kPublishedBest{35, 35, 788, 35};
constexpr Confusion kPublishedSecond{36, 40, 783, 34};
// What a search for the published loss alone ends with: one predicted positive, and it is right.
constexpr Confusion kDegenerate{1, 0, 823, 69};

TEST_CASE("paper_loss reproduces both published rows") {
  REQUIRE(kPublishedBest.rows() == 893);
  REQUIRE(kPublishedSecond.rows() == 893);
  CHECK(kPublishedBest.positive() == 70);
  CHECK(kPublishedSecond.positive() == 70);
  CHECK(kPublishedBest.predicted_positive() == 70);
  CHECK(kPublishedSecond.predicted_positive() == 76);
  CHECK(kPublishedBest.accuracy() == Approx(0.921612561).margin(1e-9));
  CHECK(kPublishedSecond.accuracy() == Approx(0.917133272).margin(1e-9));
  CHECK(kPublishedBest.precision() == Approx(0.5).margin(1e-9));
  CHECK(kPublishedSecond.precision() == Approx(0.473684211).margin(1e-9));
  CHECK(paper_loss(kPublishedBest) == Approx(-6.313549995).margin(1e-6));
  CHECK(paper_loss(kPublishedSecond) == Approx(-6.079507351).margin(1e-6));
}

TEST_CASE("the degenerate optimum of the published loss is refused") {
  CHECK(paper_loss(kDegenerate) < paper_loss(kPublishedBest));
  const Rows degenerate(kDegenerate);
  const ObjectiveValue value =
      objective("paper", degenerate.labels, degenerate.probabilities, 0.5, {0.5, 100.0});
  CHECK_FALSE(value.acceptable);
  CHECK(value.value == Approx(-paper_loss(kDegenerate)));
  CHECK(value.reason ==
        "predicts 1 positive rows; at least 35 are needed (0.5 times the 70 that are positive)");
  const Rows best(kPublishedBest);
  const ObjectiveValue good =
      objective("paper", best.labels, best.probabilities, 0.5, {1.0, 100.0});
  CHECK(good.acceptable);
  CHECK(good.reason.empty());
  CHECK(good.value == Approx(6.313549995).margin(1e-6));
}

TEST_CASE("calling every row positive is refused too, although the published loss likes it") {
  const Confusion always_yes{70, 823, 0, 0};
  CHECK(-paper_loss(always_yes) > 5.8);
  const Rows rows(always_yes);
  const ObjectiveValue value = objective("paper", rows.labels, rows.probabilities, 0.5);
  CHECK_FALSE(value.acceptable);
  CHECK(value.reason ==
        "predicts 893 positive rows; at most 140 are allowed (2 times the 70 that are positive)");
}

TEST_CASE("the guard compares without rounding and never lets precision be undefined") {
  const Rows best(kPublishedBest);
  CHECK_FALSE(objective("paper", best.labels, best.probabilities, 0.5, {1.01, 100.0}).acceptable);
  const Rows always_no(Confusion{0, 0, 823, 70});
  const ObjectiveValue none =
      objective("paper", always_no.labels, always_no.probabilities, 0.5, {0.0, 100.0});
  CHECK_FALSE(none.acceptable);
  CHECK(contains(none.reason, "predicts 0"));
  const Rows no_positive(Confusion{0, 3, 7, 0});
  CHECK_FALSE(objective("paper", no_positive.labels, no_positive.probabilities, 0.5, {0.5, 100.0})
                  .acceptable);
}

TEST_CASE("ranking objectives are the metrics over all rows") {
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1};
  const std::vector<double> probabilities = {0.1, 0.4, 0.35, 0.8};
  const ObjectiveValue precision =
      objective("average_precision", labels, probabilities, 0.5, {0.5, 100.0});
  CHECK(precision.acceptable);
  CHECK(precision.value == Approx(5.0 / 6.0));
  CHECK(objective("auroc", labels, probabilities, 0.5, {0.5, 100.0}).value == Approx(0.75));
}

TEST_CASE("an undefined metric and a diverged model are not acceptable") {
  const std::vector<std::uint8_t> labels = {1, 1};
  const std::vector<double> fine = {0.5, 0.5};
  const std::vector<double> diverged = {0.5, std::numeric_limits<double>::quiet_NaN()};
  for (const std::string& name : objective_names()) {
    const ObjectiveValue value = objective(name, labels, diverged, 0.5, {0.0, 100.0});
    CHECK_FALSE(value.acceptable);
    CHECK(value.value == 0.0);
    CHECK(contains(value.reason, "1 of 2"));
  }
  CHECK_FALSE(objective("auroc", labels, fine, 0.5, {0.0, 100.0}).acceptable);
  CHECK_FALSE(objective("average_precision", labels, fine, 0.5, {0.0, 100.0}).acceptable);
}

TEST_CASE("an unknown objective is refused with the names that exist") {
  CHECK(objective_names().front() == "average_precision");
  try {
    static_cast<void>(objective("aurok", {}, {}, 0.5, {0.5, 100.0}));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConfiguration);
    CHECK(contains(error.what(), "did you mean \"auroc\""));
    CHECK(contains(error.what(), "paper"));
  }
}

}  // namespace
}  // namespace tcrops::eval

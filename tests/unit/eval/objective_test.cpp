#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/eval/objective.hpp>

#include <catch_all.hpp>
#include <cmath>
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
  std::vector<std::string> one;  // epitope, cluster and TCR, for what does not look at them

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
      one.emplace_back("one");
    }
  }
  [[nodiscard]] JudgedRows rows() const { return {labels, one, one, one}; }
};

// `objective` of labels alone.
ObjectiveValue of_labels(const std::string& name, const std::vector<std::uint8_t>& labels,
                         const std::vector<double>& probabilities,
                         const PositiveShare& share = {0.0, 100.0}) {
  const std::vector<std::string> one(labels.size(), "one");
  return objective(name, {labels, one, one, one}, probabilities, 0.5, share);
}

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
      objective("paper", degenerate.rows(), degenerate.probabilities, 0.5, {0.5, 100.0});
  CHECK_FALSE(value.acceptable);
  CHECK(value.value == Approx(-paper_loss(kDegenerate)));
  CHECK(value.reason ==
        "predicts 1 positive rows; at least 35 are needed (0.5 times the 70 that are positive)");
  const Rows best(kPublishedBest);
  const ObjectiveValue good =
      objective("paper", best.rows(), best.probabilities, 0.5, {1.0, 100.0});
  CHECK(good.acceptable);
  CHECK(good.reason.empty());
  CHECK(good.value == Approx(6.313549995).margin(1e-6));
}

TEST_CASE("calling every row positive is refused too, although the published loss likes it") {
  const Confusion always_yes{70, 823, 0, 0};
  CHECK(-paper_loss(always_yes) > 5.8);
  const Rows rows(always_yes);
  const ObjectiveValue value = objective("paper", rows.rows(), rows.probabilities, 0.5);
  CHECK_FALSE(value.acceptable);
  CHECK(value.reason ==
        "predicts 893 positive rows; at most 140 are allowed (2 times the 70 that are positive)");
}

TEST_CASE("the guard compares without rounding and never lets precision be undefined") {
  const Rows best(kPublishedBest);
  CHECK_FALSE(objective("paper", best.rows(), best.probabilities, 0.5, {1.01, 100.0}).acceptable);
  const Rows always_no(Confusion{0, 0, 823, 70});
  const ObjectiveValue none =
      objective("paper", always_no.rows(), always_no.probabilities, 0.5, {0.0, 100.0});
  CHECK_FALSE(none.acceptable);
  CHECK(contains(none.reason, "predicts 0"));
  const Rows no_positive(Confusion{0, 3, 7, 0});
  CHECK_FALSE(objective("paper", no_positive.rows(), no_positive.probabilities, 0.5, {0.5, 100.0})
                  .acceptable);
}

TEST_CASE("ranking objectives are the metrics over all rows") {
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1};
  const std::vector<double> probabilities = {0.1, 0.4, 0.35, 0.8};
  const ObjectiveValue precision = of_labels("average_precision", labels, probabilities);
  CHECK(precision.acceptable);
  CHECK(precision.value == Approx(5.0 / 6.0));
  CHECK(of_labels("auroc", labels, probabilities).value == Approx(0.75));
}

TEST_CASE("an undefined metric and a diverged model are not acceptable") {
  const std::vector<std::uint8_t> labels = {1, 1};
  const std::vector<double> fine = {0.5, 0.5};
  const std::vector<double> diverged = {0.5, std::numeric_limits<double>::quiet_NaN()};
  for (const std::string& name : objective_names()) {
    const ObjectiveValue value = of_labels(name, labels, diverged);
    CHECK_FALSE(value.acceptable);
    CHECK(value.value == 0.0);
    CHECK(contains(value.reason, "1 of 2"));
  }
  const std::string one_class = " is undefined: the rows are not of both classes";
  for (const std::string name : {"auroc", "average_precision", "auroc01", "mcc"}) {
    CHECK(of_labels(name, labels, fine).reason == name + one_class);
    CHECK(of_labels(name, labels, fine).value == 0.0);
  }
}

// Every TCR with every epitope, several rows of one score.
struct Table {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<std::string> tcrs;
  std::vector<double> scores;

  Table() {
    Rng rng(5);
    for (int t = 0; t < 30; ++t) {
      for (int e = 0; e < 4; ++e) {
        labels.push_back(t % 4 == e || t % 7 == 6 ? 1 : 0);
        epitopes.push_back("epitope" + std::to_string(e));
        tcrs.push_back("tcr" + std::to_string(t));
        scores.push_back(std::round(20.0 * rng.uniform()) / 20.0);
      }
    }
  }
  [[nodiscard]] JudgedRows rows() const { return {labels, epitopes, tcrs, tcrs}; }
};

TEST_CASE("every objective but the paper's is what judge() says, less the sign") {
  const Table table;
  const Predictor predictor{.scores = table.scores, .threshold = 0.35};
  const Json report = judge(table.rows(), std::span(&predictor, 1)).front();
  CHECK(objective_names().size() == 1 + 2 * kFigureCount);
  std::vector<std::string> negated;
  for (const std::string& name : objective_names()) {
    if (name == "paper") continue;
    INFO(name);
    const bool macro = name.starts_with("macro_");
    const auto expected =
        report.at(macro ? "macro" : "pooled").at(macro ? name.substr(6) : name).get<double>();
    const double sign = objective_is_negated(name) ? -1.0 : 1.0;
    const ObjectiveValue value = objective(name, table.rows(), table.scores, 0.35);
    CHECK(value.acceptable);
    CHECK(value.value == Approx(sign * expected).margin(1e-12));
    if (objective_is_negated(name)) negated.push_back(name);
  }
  CHECK(negated ==
        std::vector<std::string>{"brier", "ece", "rank", "macro_brier", "macro_ece", "macro_rank"});
  CHECK_FALSE(objective_is_negated("paper"));
}

TEST_CASE("where less is better the better model has the larger objective") {
  const Table table;
  std::vector<double> right(table.labels.begin(), table.labels.end());
  std::vector<double> wrong;
  for (const std::uint8_t label : table.labels) wrong.push_back(label == 1 ? 0.1 : 0.9);
  for (const std::string& name : objective_names()) {
    INFO(name);
    CHECK(objective(name, table.rows(), right, 0.5).value >
          objective(name, table.rows(), wrong, 0.5).value);
  }
}

TEST_CASE("why a figure is undefined") {
  const std::vector<double> scores = {0.9, 0.2, 0.4};
  const std::vector<std::string> tcrs = {"a", "b", "c"};
  const auto reason = [&](const std::string& name, const std::vector<std::uint8_t>& labels,
                          const std::vector<std::string>& epitopes) {
    const ObjectiveValue value = objective(name, {labels, epitopes, tcrs, tcrs}, scores, 0.5);
    CHECK(value.acceptable == value.reason.empty());
    CHECK(std::isfinite(value.value));
    return value.reason;
  };
  CHECK(reason("macro_auroc", {1, 0, 1}, {"A", "B", "C"}) ==
        "macro_auroc is undefined: no epitope has rows of both classes");
  CHECK(reason("macro_auroc", {1, 0, 1}, {"A", "A", "C"}).empty());
  CHECK(reason("f1", {0, 0, 0}, {"A", "A", "A"}) == "f1 is undefined: there is no positive row");
  CHECK(reason("precision", {0, 0, 0}, {"A", "A", "A"}).empty());
  CHECK(reason("rank", {1, 0, 0}, {"A", "B", "B"}) ==
        "rank is undefined: no positive row is of a TCR that has a row of every epitope, of which "
        "there must be two or more");
  CHECK(contains(reason("macro_recall_at_1", {1, 0, 0}, {"A", "A", "A"}), "no positive row is of"));
  CHECK(of_labels("brier", {}, {}).reason == "brier is undefined: there are no rows");
  CHECK(of_labels("brier", {}, {}).acceptable == false);
}

TEST_CASE("an unknown objective is refused with the names that exist") {
  CHECK(objective_names().front() == "average_precision");
  CHECK_THROWS_AS(objective_is_negated("aurok"), Error);
  try {
    static_cast<void>(of_labels("aurok", {}, {}));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConfiguration);
    CHECK(contains(error.what(), "did you mean \"auroc\""));
    CHECK(contains(error.what(), "paper"));
  }
}

}  // namespace
}  // namespace tcrops::eval

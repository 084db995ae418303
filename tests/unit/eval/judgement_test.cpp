#include <tcrops/core/rng.hpp>
#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/eval/true_ranks.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <error_of.hpp>
#include <limits>
#include <map>

namespace tcrops::eval {
namespace {

// TCRs that each meet every epitope and bind one.
struct Made {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<std::string> tcrs;
  std::vector<double> scores;  // of (0, 1), with ties

  Made(int count, int epitope_count, double signal, std::uint64_t seed) {
    Rng rng(seed);
    for (int t = 0; t < count; ++t) {
      for (int e = 0; e < epitope_count; ++e) {
        labels.push_back(t % epitope_count == e ? 1 : 0);
        epitopes.push_back("epitope" + std::to_string(e));
        tcrs.push_back("tcr" + std::to_string(t));
        const double logit = std::round(4.0 * (signal * labels.back() + rng.normal())) / 4.0;
        scores.push_back(1.0 / (1.0 + std::exp(-logit)));
      }
    }
  }
  [[nodiscard]] JudgedRows rows() const { return {labels, epitopes, tcrs, tcrs}; }
  [[nodiscard]] Json report(const Resampling& resampling = {}, bool probabilities = true) const {
    const Predictor predictor{scores, 0.6, probabilities, true};
    return judge(rows(), std::span(&predictor, 1), resampling).front();
  }
};

double number(const Json& json, const char* name) { return json.at(name).get<double>(); }

TEST_CASE("ranks are what counting says, ties averaged") {
  const Made made(40, 5, 0.5, 3);
  const auto ranks = true_epitope_ranks(made.labels, made.scores, made.epitopes, made.tcrs);
  double sum = 0.0;
  double first = 0.0;
  double third = 0.0;
  for (std::size_t row = 0; row < ranks.size(); ++row) {
    if (made.labels[row] == 0) {
      CHECK(std::isnan(ranks[row]));
      continue;
    }
    double expected = 1.0;
    for (std::size_t other = 0; other < ranks.size(); ++other) {
      if (other == row || made.tcrs[other] != made.tcrs[row]) continue;
      if (made.scores[other] > made.scores[row]) expected += 1.0;
      if (made.scores[other] == made.scores[row]) expected += 0.5;
    }
    CHECK(ranks[row] == expected);
    sum += expected;
    first += expected <= 1.0 ? 1.0 : 0.0;
    third += expected <= 3.0 ? 1.0 : 0.0;
  }
  const Json pooled = made.report().at("pooled");
  CHECK(pooled.at("ranked") == 40);
  CHECK(number(pooled, "rank") == Approx(sum / 40.0));
  CHECK(number(pooled, "recall_at_1") == Approx(first / 40.0));
  CHECK(number(pooled, "recall_at_3") == Approx(third / 40.0));
}

TEST_CASE("a TCR without every epitope has no rank, and one epitope alone makes none") {
  const std::vector<std::uint8_t> labels = {1, 0, 1, 1, 0};
  const std::vector<double> scores = {0.9, 0.1, 0.5, 0.2, 0.3};
  const std::vector<std::string> epitopes = {"A", "B", "A", "A", "B"};
  const std::vector<std::string> tcrs = {"x", "x", "y", "z", "z"};
  const auto ranks = true_epitope_ranks(labels, scores, epitopes, tcrs);
  CHECK(ranks[0] == 1.0);
  CHECK(std::isnan(ranks[2]));
  CHECK(ranks[3] == 2.0);
  const std::vector<std::string> one(5, "A");
  for (const double rank : true_epitope_ranks(labels, scores, one, tcrs)) CHECK(std::isnan(rank));
  // Two rows of one epitope: the better counts, for both.
  const std::vector<std::string> twice = {"A", "B", "A"};
  const std::vector<std::uint8_t> both = {1, 0, 1};
  const std::vector<double> values = {0.2, 0.4, 0.6};
  const std::vector<std::string> same(3, "x");
  const auto best = true_epitope_ranks(both, values, twice, same);
  CHECK(best[0] == 1.0);
  CHECK(best[2] == 1.0);
  CHECK(test::error_of([&] {
          static_cast<void>(true_epitope_ranks(labels, values, epitopes, tcrs));
        }).code == ExitCode::kFailure);
}

TEST_CASE("the figures of all rows are those of metrics.hpp and of their definitions") {
  const Made made(60, 4, 1.0, 5);
  const Json pooled = made.report().at("pooled");
  const Json plain = binary_report(made.labels, made.scores, 0.6);
  for (const char* name :
       {"auroc", "average_precision", "accuracy", "precision", "recall", "f1", "mcc"}) {
    CHECK(number(pooled, name) == Approx(number(plain, name)).epsilon(1e-12));
  }
  for (const char* name : {"rows", "positives", "predicted_positives", "threshold"}) {
    CHECK(pooled.at(name) == plain.at(name));
  }
  double brier = 0.0;
  double ece = 0.0;
  const auto n = static_cast<double>(made.labels.size());
  for (int bin = 0; bin < 10; ++bin) {
    double probability = 0.0;
    double positives = 0.0;
    double rows = 0.0;
    for (std::size_t row = 0; row < made.labels.size(); ++row) {
      if (std::min(static_cast<int>(made.scores[row] * 10.0), 9) != bin) continue;
      probability += made.scores[row];
      positives += made.labels[row];
      rows += 1.0;
    }
    if (rows > 0) ece += rows / n * std::abs(probability / rows - positives / rows);
  }
  for (std::size_t row = 0; row < made.labels.size(); ++row) {
    brier += (made.scores[row] - made.labels[row]) * (made.scores[row] - made.labels[row]) / n;
  }
  CHECK(number(pooled, "brier") == Approx(brier));
  CHECK(number(pooled, "ece") == Approx(ece));
  CHECK(made.report({}, false).at("pooled").at("ece").is_null());
}

TEST_CASE("the area up to a false positive rate of 0.1, by hand") {
  // 10 negatives, so the limit is one of them. Positives: one above, one tied with the first
  // negative, one below: the area is half a step from 1/3 to 2/3, which is 0.05.
  std::vector<double> scores = {0.9, 0.8, 0.1, 0.8};
  std::vector<std::uint8_t> labels = {1, 1, 1, 0};
  for (int i = 0; i < 9; ++i) {
    scores.push_back(0.5);
    labels.push_back(0);
  }
  const std::vector<std::string> same(labels.size(), "x");
  const Predictor predictor{scores, 0.5};
  const Json report = judge({labels, same, same, same}, std::span(&predictor, 1)).front();
  const double area = 0.05;
  CHECK(number(report.at("pooled"), "auroc01") ==
        Approx(0.5 * (1.0 + (area - 0.005) / (0.1 - 0.005))));
}

TEST_CASE("macro figures are means over the epitopes that have both classes") {
  Made made(60, 4, 1.0, 5);
  made.epitopes.insert(made.epitopes.end(), {"lonely", "lonely"});
  made.tcrs.insert(made.tcrs.end(), {"a", "b"});
  made.labels.insert(made.labels.end(), {0, 0});
  made.scores.insert(made.scores.end(), {0.5, 0.7});
  const Json report = made.report();
  CHECK(report.at("macro").at("groups") == 4);
  REQUIRE(report.at("per_group").size() == 5);
  const Json& lonely = report.at("per_group").at(4);
  CHECK(lonely.at("group") == "lonely");
  CHECK(lonely.at("rows") == 2);
  CHECK(number(lonely, "accuracy") == 0.5);
  for (const char* name : {"auroc", "auroc01", "average_precision", "recall", "f1", "mcc", "rank"})
    CHECK(lonely.at(name).is_null());
  for (const char* name : {"auroc", "auroc01", "average_precision", "f1", "brier", "ece"}) {
    double sum = 0.0;
    for (int g = 0; g < 4; ++g) sum += number(report.at("per_group").at(g), name);
    CHECK(number(report.at("macro"), name) == Approx(sum / 4.0));
  }
}

TEST_CASE("kinds of epitopes have macro figures of their own") {
  const Made made(60, 4, 1.0, 5);
  const Predictor predictor{made.scores, 0.6};
  const std::map<std::string, std::string> kinds = {
      {"epitope0", "seen"}, {"epitope1", "seen"}, {"epitope2", "unseen"}, {"epitope3", "seen"}};
  const Json report = judge(made.rows(), std::span(&predictor, 1), {20, 1}, kinds).front();
  const Json& unseen = report.at("by_kind").at("unseen");
  CHECK(unseen.at("groups") == 1);
  CHECK(unseen.at("rows") == 60);
  CHECK(unseen.at("positives") == 15);
  CHECK(unseen.at("auroc") == report.at("per_group").at(2).at("auroc"));
  CHECK(unseen.at("intervals").at("auroc") ==
        report.at("per_group").at(2).at("intervals").at("auroc"));
  CHECK(report.at("by_kind").at("seen").at("groups") == 3);
}

TEST_CASE("equal seeds give equal intervals, which hold the figure, and other seeds others") {
  const Made made(60, 5, 1.0, 7);
  const Json report = made.report({200, 3});
  CHECK(report == made.report({200, 3}));
  CHECK(report.at("macro").at("intervals") != made.report({200, 4}).at("macro").at("intervals"));
  for (const char* name : {"auroc", "auroc01", "average_precision", "f1", "mcc", "brier", "rank",
                           "recall_at_1", "recall_at_3", "accuracy"}) {
    const Json& interval = report.at("macro").at("intervals").at(name);
    CHECK(interval.at(0) <= report.at("macro").at(name));
    CHECK(interval.at(1) >= report.at("macro").at(name));
    CHECK(interval.at(0) < interval.at(1));
  }
  CHECK(made.report().at("pooled").at("intervals").empty());
}

// The slow way: two resamples written out row by row. The interval of two values is as wide as 0.95
// of their distance.
TEST_CASE("a draw of clusters counts their rows as often as they were drawn") {
  const Made made(12, 2, 1.0, 9);
  std::vector<Json> written_out;
  for (std::uint64_t draw = 0; draw < 2; ++draw) {
    Rng rng(5, "eval.bootstrap", draw);
    std::map<std::string, int> times;
    for (int i = 0; i < 12; ++i) ++times["tcr" + std::to_string(rng.below(12))];
    Made repeated(0, 2, 1.0, 9);
    for (std::size_t row = 0; row < made.labels.size(); ++row) {
      for (int k = 0; k < times[made.tcrs[row]]; ++k) {
        repeated.labels.push_back(made.labels[row]);
        repeated.scores.push_back(made.scores[row]);
        repeated.epitopes.push_back(made.epitopes[row]);
        repeated.tcrs.push_back(made.tcrs[row]);
      }
    }
    written_out.push_back(repeated.report());
  }
  const Json two = made.report({2, 5});
  for (const char* part : {"pooled", "macro"}) {
    for (const char* name : {"auroc", "average_precision", "f1", "mcc", "brier", "ece"}) {
      const Json& interval = two.at(part).at("intervals").at(name);
      const double low = interval.at(0).get<double>();
      const double high = interval.at(1).get<double>();
      const double distance =
          std::abs(number(written_out[0].at(part), name) - number(written_out[1].at(part), name));
      CHECK(high <= number(two.at(part), name) + 0.475 * distance + 1e-9);
      if (low > 0.0 && high < 1.0) CHECK(high - low == Approx(0.95 * distance).margin(1e-9));
    }
  }
}

// The AUROC of normal scores that lie 1 apart is 0.760; of 60 samples about 3 intervals miss it.
TEST_CASE("the interval of a figure covers what it says") {
  constexpr double kTrue = 0.7602;
  int missed = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Json interval = Made(80, 2, 1.0, seed).report({200, seed}).at("pooled").at("intervals");
    const Json& auroc = interval.at("auroc");
    if (auroc.at(0) > kTrue || auroc.at(1) < kTrue) ++missed;
  }
  CHECK(missed <= 9);
}

// With 4 positives per epitope the plain percentile interval of the average precision lies too
// high.
TEST_CASE("the interval of a macro average precision of few positives covers what it says") {
  double sum = 0.0;
  for (std::uint64_t seed = 1000; seed < 1400; ++seed) {
    sum += number(Made(24, 6, 1.0, seed).report().at("macro"), "average_precision");
  }
  const double expected = sum / 400.0;
  int missed = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Json report = Made(24, 6, 1.0, seed).report({200, seed});
    const Json& interval = report.at("macro").at("intervals").at("average_precision");
    if (interval.at(0) > expected || interval.at(1) < expected) ++missed;
  }
  CHECK(missed <= 9);
}

TEST_CASE("odd rows give nulls, wrong ones errors") {
  const Predictor nothing{};
  const Json empty = judge({}, std::span(&nothing, 1), {10, 1}).front();
  CHECK(empty.at("pooled").at("rows") == 0);
  CHECK(empty.at("macro").at("auroc").is_null());
  CHECK_NOTHROW(canonical_json(empty));
  Made made(10, 2, 1.0, 1);
  made.labels.assign(made.labels.size(), 1);
  CHECK(made.report({10, 1}).at("pooled").at("auroc").is_null());
  made.scores[0] = std::numeric_limits<double>::quiet_NaN();
  CHECK(test::error_of([&] { static_cast<void>(made.report()); }).code == ExitCode::kFailure);
  made.scores.pop_back();
  CHECK(test::error_of([&] { static_cast<void>(made.report()); }).code == ExitCode::kFailure);
}

}  // namespace
}  // namespace tcrops::eval

#include <tcrops/core/rng.hpp>
#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/eval/paired_bootstrap.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <error_of.hpp>
#include <map>

namespace tcrops::eval {
namespace {

// TCRs that each meet every epitope; the scores of `a` know more than those of `b`.
struct Made {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> groups;
  std::vector<std::string> clusters;
  std::vector<double> a;
  std::vector<double> b;

  Made(int tcrs, int epitopes, double signal_a, double signal_b, std::uint64_t seed = 1) {
    Rng rng(seed);
    for (int t = 0; t < tcrs; ++t) {
      for (int e = 0; e < epitopes; ++e) {
        labels.push_back(t % epitopes == e ? 1 : 0);
        groups.push_back("epitope" + std::to_string(e));
        clusters.push_back("tcr" + std::to_string(t));
        // Rounded, so that there are ties.
        const auto score = [&](double signal) {
          return std::round(4.0 * (signal * labels.back() + rng.normal())) / 4.0;
        };
        a.push_back(score(signal_a));
        b.push_back(score(signal_b));
      }
    }
  }
  [[nodiscard]] PairedScores paired() const { return {labels, groups, clusters, a, b}; }
};

TEST_CASE("the values without resampling are those of the metrics") {
  const Made made(60, 3, 1.0, 0.2);
  const auto result = paired_bootstrap(made.paired(), 0, 1);
  REQUIRE(result.size() == 5);
  const Predictor predictor{made.a, 0.5};
  const Json report =
      judge({made.labels, made.groups, made.clusters, made.clusters}, std::span(&predictor, 1))
          .front();
  CHECK(result[0].a == Approx(report["macro"]["average_precision"].get<double>()));
  CHECK(result[1].a == Approx(report["macro"]["auroc"].get<double>()));
  CHECK(result[2].a == Approx(report["macro"]["auroc01"].get<double>()));
  CHECK(result[3].b == Approx(average_precision(made.labels, made.b)));
  CHECK(result[4].b == Approx(auroc(made.labels, made.b)));
  CHECK(result[4].difference == result[4].a - result[4].b);
  CHECK(std::isnan(result[4].low));
}

// The slow way: every resample written out row by row.
TEST_CASE("a resample weighs rows as if they were repeated") {
  const Made made(12, 2, 1.0, 0.0);
  const auto fast = paired_bootstrap(made.paired(), 1, 5);
  Rng rng(5, "eval.paired_bootstrap", 0);
  std::map<std::string, int> times;
  for (int i = 0; i < 12; ++i) ++times["tcr" + std::to_string(rng.below(12))];
  std::vector<std::uint8_t> labels;
  std::vector<double> a;
  std::vector<double> b;
  for (std::size_t row = 0; row < made.labels.size(); ++row) {
    for (int k = 0; k < times[made.clusters[row]]; ++k) {
      labels.push_back(made.labels[row]);
      a.push_back(made.a[row]);
      b.push_back(made.b[row]);
    }
  }
  CHECK(fast[3].low == Approx(average_precision(labels, a) - average_precision(labels, b)));
  CHECK(fast[4].low == Approx(auroc(labels, a) - auroc(labels, b)));
  CHECK(fast[4].low == fast[4].high);
}

TEST_CASE("a better model is told from a worse one, equal ones are not") {
  const Made better(300, 3, 1.5, 0.0);
  for (const PairedMetric& metric : paired_bootstrap(better.paired(), 300, 1)) {
    CHECK(metric.low > 0);
    CHECK(metric.low <= metric.difference);
    CHECK(metric.difference <= metric.high);
    CHECK(metric.share_better == 1.0);
  }
  Made same(50, 3, 1.0, 1.0);
  same.b = same.a;
  for (const PairedMetric& metric : paired_bootstrap(same.paired(), 50, 1)) {
    CHECK(metric.low == 0);
    CHECK(metric.high == 0);
    CHECK(metric.share_better == 0.5);
  }
}

// Of 60 pairs of equally good models, the 95 % interval should leave 0 out about 3 times.
TEST_CASE("the interval covers what it says") {
  int missed = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Made made(80, 2, 0.7, 0.7, seed);
    const PairedMetric metric = paired_bootstrap(made.paired(), 200, seed)[4];
    if (metric.low > 0 || metric.high < 0) ++missed;
  }
  CHECK(missed <= 9);
}

TEST_CASE("the same arguments give the same numbers, and odd ones no nonsense") {
  const Made made(40, 2, 1.0, 0.5);
  const auto once = paired_bootstrap(made.paired(), 100, 3);
  const auto again = paired_bootstrap(made.paired(), 100, 3);
  for (std::size_t m = 0; m < once.size(); ++m) {
    CHECK(once[m].low == again[m].low);
    CHECK(once[m].high == again[m].high);
  }
  CHECK(paired_bootstrap(made.paired(), 100, 4)[0].low != once[0].low);
  Made negatives(10, 2, 1.0, 0.5);
  negatives.labels.assign(negatives.labels.size(), 0);
  for (const PairedMetric& metric : paired_bootstrap(negatives.paired(), 10, 1)) {
    CHECK(std::isnan(metric.a));
    CHECK(std::isnan(metric.low));
  }
  CHECK(paired_bootstrap({}, 10, 1).size() == 5);
  PairedScores uneven = made.paired();
  uneven.a = uneven.a.subspan(1);
  CHECK(test::error_of([&] { static_cast<void>(paired_bootstrap(uneven, 1, 1)); }).code ==
        ExitCode::kFailure);
}

}  // namespace
}  // namespace tcrops::eval

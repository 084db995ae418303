#include <tcrops/eval/metrics.hpp>

#include <catch_all.hpp>
#include <limits>

namespace tcrops::eval {
namespace {

const std::vector<std::uint8_t> kLabels = {1, 0, 0, 0, 1, 1};
const std::vector<double> kScores = {0.9, 0.2, 0.1, 0.7, 0.6, 0.8};

TEST_CASE("binary_report has every metric") {
  const Json report = binary_report(kLabels, kScores, 0.65);
  CHECK(report.size() == 11);
  CHECK(report["rows"] == 6);
  CHECK(report["positives"] == 3);
  CHECK(report["predicted_positives"] == 3);
  CHECK(report["threshold"] == 0.65);
  CHECK(report["auroc"].get<double>() == Approx(8.0 / 9.0));
  CHECK(report["average_precision"].get<double>() == Approx((1.0 + 1.0 + 0.75) / 3.0));
  CHECK(report["accuracy"].get<double>() == Approx(4.0 / 6.0));
  CHECK(report["precision"].get<double>() == Approx(2.0 / 3.0));
  CHECK(report["recall"].get<double>() == Approx(2.0 / 3.0));
  CHECK(report["f1"].get<double>() == Approx(2.0 / 3.0));
  CHECK(report["mcc"].get<double>() == Approx(1.0 / 3.0));
}

TEST_CASE("undefined values are null and can be written") {
  const std::vector<std::uint8_t> labels = {0, 0};
  const std::vector<double> scores = {0.1, std::numeric_limits<double>::quiet_NaN()};
  const Json report = binary_report(labels, scores, 0.5);
  CHECK(report["auroc"].is_null());
  CHECK(report["average_precision"].is_null());
  CHECK_NOTHROW(canonical_json(report));
}

}  // namespace
}  // namespace tcrops::eval

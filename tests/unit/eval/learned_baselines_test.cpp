#include <tcrops/core/rng.hpp>
#include <tcrops/eval/baselines.hpp>
#include <tcrops/eval/metrics.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>

namespace tcrops::eval {
namespace {

using data::Column;
using data::Record;

Record record(const std::string& beta, const std::string& v_beta, const std::string& epitope,
              bool label) {
  Record result;
  result[Column::kCdr3Beta] = beta;
  result[Column::kVBeta] = v_beta;
  result[Column::kEpitope] = epitope;
  result.label = label;
  return result;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

TEST_CASE("V genes are counted without alleles, per epitope, with one more of each") {
  const std::vector<Record> train = {
      record("CASF", "TRBV1*01", "NLV", true), record("CASSF", "TRBV1*02", "NLV", true),
      record("CASGF", "TRBV2*01", "NLV", false), record("CASAF", "TRBV2*01", "GIL", true)};
  const std::vector<Record> test = {
      record("CW", "TRBV1*01", "NLV", true), record("CW", "TRBV2*01", "NLV", true),
      record("CW", "TRBV9*01", "NLV", true), record("CW", "", "NLV", true),
      record("CW", "TRBV2*01", "GIL", true), record("CW", "TRBV2*01", "GLC", true)};
  const auto scores = v_gene_scores(train, test);
  CHECK(scores[0] == Approx(sigmoid(std::log(3.0 / 5.0) - std::log(1.0 / 4.0))));
  CHECK(scores[1] == Approx(sigmoid(std::log(1.0 / 5.0) - std::log(2.0 / 4.0))));
  CHECK(scores[2] == Approx(sigmoid(std::log(1.0 / 5.0) - std::log(1.0 / 4.0))));
  CHECK(scores[3] == 0.5);
  CHECK(scores[4] == 0.0);  // no negative in training
  CHECK(scores[5] == 0.0);  // unknown epitope
}

TEST_CASE("the frequency of a TCR is its share of positives, whatever the epitope") {
  const std::vector<Record> train = {
      record("CASF", "TRBV1*01", "NLV", true), record("CASF", "TRBV1*01", "GIL", false),
      record("CASGF", "TRBV1*01", "NLV", false), record("CASGF", "TRBV1*01", "GIL", false)};
  const std::vector<Record> test = {record("CASF", "TRBV1*01", "GLC", true),
                                    record("CASGF", "TRBV1*01", "NLV", true),
                                    record("CASWF", "TRBV1*01", "NLV", true)};
  const auto scores = tcr_frequency_scores(train, test);
  CHECK(scores[0] == Approx(1.25 / 3.0));
  CHECK(scores[1] == Approx(0.25 / 3.0));
  CHECK(scores[2] == Approx(0.25));
  CHECK(tcr_frequency_scores({}, test)[0] == 0.5);
}

std::vector<Record> motif_rows(int count, std::uint64_t seed) {
  constexpr std::string_view kLetters = "ADEGHIKLNPQRSTVY";
  Rng rng(seed);
  std::vector<Record> rows;
  for (int i = 0; i < count; ++i) {
    const bool binds = rng.uniform() < 0.2;
    std::string beta = "CAS";
    for (int k = 0; k < 6; ++k) beta += kLetters[rng.below(kLetters.size())];
    if (binds) beta[5] = 'W';
    rows.push_back(
        record(beta + "QYF", binds && rng.uniform() < 0.7 ? "TRBV1*01" : "TRBV2*01", "NLV", binds));
  }
  return rows;
}

std::vector<std::uint8_t> labels_of(const std::vector<Record>& rows) {
  std::vector<std::uint8_t> labels;
  for (const Record& row : rows) labels.push_back(*row.label ? 1 : 0);
  return labels;
}

TEST_CASE("the linear baseline finds a letter at a position") {
  const auto train = motif_rows(400, 1);
  auto test = motif_rows(200, 2);
  const auto scores = linear_scores(train, test);
  CHECK(auroc(labels_of(test), scores) > 0.95);
  CHECK(scores == linear_scores(train, test));
  CHECK(std::all_of(scores.begin(), scores.end(), [](double s) { return s > 0 && s < 1; }));
  // The order of the training rows is only rounding.
  auto turned = train;
  std::reverse(turned.begin(), turned.end());
  const auto again = linear_scores(turned, test);
  for (std::size_t i = 0; i < scores.size(); ++i) CHECK(again[i] == Approx(scores[i]).margin(1e-4));
  for (Record& each : test) each[Column::kEpitope] = "GIL";
  CHECK(linear_scores(train, test) == std::vector<double>(test.size(), 0.0));
  CHECK(linear_scores({}, test) == std::vector<double>(test.size(), 0.0));
}

// With one feature the optimum is where both derivatives vanish; found here by bisection.
TEST_CASE("the linear baseline is at its optimum") {
  const std::vector<Record> train = {
      record("", "TRBV1", "NLV", true), record("", "TRBV1", "NLV", true),
      record("", "", "NLV", true),      record("", "TRBV1", "NLV", false),
      record("", "", "NLV", false),     record("", "", "NLV", false),
      record("", "", "NLV", false)};
  // Two positives and one negative have the gene, one positive and three negatives have not.
  const double p = 7.0 / 6.0;
  const double n = 7.0 / 8.0;
  const auto intercept_at = [&](double w) {
    double low = -20.0;
    double high = 20.0;
    for (int i = 0; i < 200; ++i) {
      const double b = 0.5 * (low + high);
      const double slope =
          -p * (2.0 * sigmoid(-w - b) + sigmoid(-b)) + n * (sigmoid(w + b) + 3.0 * sigmoid(b));
      (slope > 0 ? high : low) = b;
    }
    return 0.5 * (low + high);
  };
  double low = -20.0;
  double high = 20.0;
  for (int i = 0; i < 200; ++i) {
    const double w = 0.5 * (low + high);
    const double b = intercept_at(w);
    const double slope = w - p * 2.0 * sigmoid(-w - b) + n * sigmoid(w + b);
    (slope > 0 ? high : low) = w;
  }
  const double w = 0.5 * (low + high);
  const auto scores = linear_scores(train, train);
  CHECK(scores[0] == Approx(sigmoid(w + intercept_at(w))).margin(1e-5));
  CHECK(scores[2] == Approx(sigmoid(intercept_at(w))).margin(1e-5));
}

}  // namespace
}  // namespace tcrops::eval

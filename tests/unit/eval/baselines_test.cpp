#include <tcrops/core/rng.hpp>
#include <tcrops/eval/baselines.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <map>

namespace tcrops::eval {
namespace {

data::Record record(const std::string& alpha, const std::string& beta, const std::string& epitope,
                    std::optional<bool> label = std::nullopt) {
  data::Record result;
  result[data::Column::kCdr3Alpha] = alpha;
  result[data::Column::kCdr3Beta] = beta;
  result[data::Column::kEpitope] = epitope;
  result.label = label;
  return result;
}

double score(const std::vector<data::Record>& train, const data::Record& test) {
  return nearest_neighbour_scores(train, std::vector<data::Record>{test}).at(0);
}

TEST_CASE("always_no_scores are zeros") {
  CHECK(always_no_scores(3) == std::vector<double>{0.0, 0.0, 0.0});
  CHECK(always_no_scores(0).empty());
}

TEST_CASE("the nearest neighbour is a binder of the same epitope") {
  const std::vector<data::Record> train = {record("CAVRDF", "CASSLGF", "NLV", true),
                                           record("CAVTTF", "CASSPPF", "NLV", false),
                                           record("CAVTTF", "CASSPPF", "GIL", true)};
  CHECK(score(train, record("CAVRDF", "CASSLGF", "NLV")) == 1.0);
  CHECK(score(train, record("CAVTTF", "CASSPPF", "GIL")) == 1.0);
  CHECK(score(train, record("CAVTTF", "CASSPPF", "NLV")) < 1.0);
  CHECK(score(train, record("CAVRDF", "CASSLGF", "GLC")) == 0.0);
  CHECK(score(train, record("WWWW", "WWWW", "NLV")) == 0.0);
}

TEST_CASE("similarity is the mean cosine of word counts over the chains that both have") {
  // CAV AVR VRD RDF against CAV AVR VRE REF: 2 of 4 words in common.
  const std::vector<data::Record> train = {record("CAVRDF", "", "NLV", true)};
  CHECK(score(train, record("CAVREF", "CASSLGF", "NLV")) == Approx(0.5));
  CHECK(score(train, record("", "CASSLGF", "NLV")) == 0.0);
  // AAA twice against once: 2 / (sqrt(4) * sqrt(1)).
  const std::vector<data::Record> repeated = {record("AAAA", "CASSF", "NLV", true)};
  CHECK(score(repeated, record("AAA", "CASSF", "NLV")) == Approx(1.0));
  CHECK(score(repeated, record("AA", "", "NLV")) == 0.0);
}

TEST_CASE("the largest mean counts, not the largest chain") {
  const std::vector<data::Record> train = {record("CAVRDF", "WWWWW", "NLV", true),
                                           record("WWWWW", "CASSLGF", "NLV", true),
                                           record("CAVRDW", "CASSLGW", "NLV", true)};
  CHECK(score(train, record("CAVRDF", "CASSLGF", "NLV")) == Approx((0.75 + 0.8) / 2.0));
}

TEST_CASE("a missing epitope has no neighbour") {
  const std::vector<data::Record> train = {record("CAVRDF", "CASSLGF", "", true)};
  CHECK(score(train, record("CAVRDF", "CASSLGF", "")) == 0.0);
  CHECK(nearest_neighbour_scores({}, {}).empty());
}

// The definition, word by word, without an index.
double cosine(const std::string& a, const std::string& b) {
  std::map<std::string, std::pair<double, double>> counts;
  for (std::size_t i = 0; i + 3 <= a.size(); ++i) counts[a.substr(i, 3)].first += 1.0;
  for (std::size_t i = 0; i + 3 <= b.size(); ++i) counts[b.substr(i, 3)].second += 1.0;
  double product = 0.0;
  double left = 0.0;
  double right = 0.0;
  for (const auto& [word, count] : counts) {
    product += count.first * count.second;
    left += count.first * count.first;
    right += count.second * count.second;
  }
  return product == 0.0 ? 0.0 : product / std::sqrt(left * right);
}

std::string random_cdr3(Rng& rng) {
  std::string text = "CA";
  const std::uint64_t length = rng.below(9);
  for (std::uint64_t i = 0; i < length; ++i) text += "AGSL"[rng.below(4)];
  return rng.below(10) == 0 ? "" : text + "F";
}

TEST_CASE("the index gives what the definition gives") {
  Rng rng(5, "test.baselines");
  std::vector<data::Record> train;
  std::vector<data::Record> test;
  const auto epitope = [&] { return std::string(1, "ABC"[rng.below(3)]); };
  for (int i = 0; i < 150; ++i) {
    train.push_back(record(random_cdr3(rng), random_cdr3(rng), epitope(), rng.below(2) == 0));
    test.push_back(record(random_cdr3(rng), random_cdr3(rng), epitope()));
  }
  const std::vector<double> scores = nearest_neighbour_scores(train, test);
  for (std::size_t i = 0; i < test.size(); ++i) {
    double expected = 0.0;
    for (const data::Record& each : train) {
      using data::Column;
      if (!each.label.value() || each[Column::kEpitope] != test[i][Column::kEpitope]) continue;
      double sum = 0.0;
      double shared = 0.0;
      for (const Column chain : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
        if (each[chain].empty() || test[i][chain].empty()) continue;
        sum += cosine(each[chain], test[i][chain]);
        shared += 1.0;
      }
      if (shared > 0.0) expected = std::max(expected, sum / shared);
    }
    CHECK(scores[i] == Approx(expected).margin(1e-12));
  }
}

}  // namespace
}  // namespace tcrops::eval

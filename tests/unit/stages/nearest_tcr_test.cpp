#include "nearest_tcr.hpp"

#include "reference_tcrs.hpp"

#include <tcrops/core/rng.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace tcrops::stages {
namespace {

using data::Cdr3s;

std::map<std::string, double> words_of(const std::string& cdr3) {
  std::map<std::string, double> counts;
  for (std::size_t i = 0; i + 3 <= cdr3.size(); ++i) counts[cdr3.substr(i, 3)] += 1.0;
  return counts;
}

double cosine(const std::string& a, const std::string& b) {
  auto left = words_of(a);
  auto right = words_of(b);
  double product = 0.0;
  double left_squared = 0.0;
  double right_squared = 0.0;
  for (const auto& [word, count] : left) {
    product += count * right[word];
    left_squared += count * count;
  }
  for (const auto& [word, count] : right) right_squared += count * count;
  return product == 0.0 ? 0.0 : product / std::sqrt(left_squared * right_squared);
}

double brute_force(const std::vector<Cdr3s>& tcrs, const Cdr3s& query) {
  double best = 0.0;
  for (const Cdr3s& tcr : tcrs) {
    double sum = 0.0;
    double chains = 0.0;
    if (!tcr.alpha.empty() && !query.alpha.empty()) {
      sum += cosine(tcr.alpha, query.alpha);
      chains += 1.0;
    }
    if (!tcr.beta.empty() && !query.beta.empty()) {
      sum += cosine(tcr.beta, query.beta);
      chains += 1.0;
    }
    if (chains > 0.0) best = std::max(best, sum / chains);
  }
  return best;
}

// Like real ones: equal at both ends, few letters between.
std::string chain(Rng& rng, const std::string& begin, const std::string& end) {
  std::string cdr3 = begin;
  const std::size_t length = 2 + rng.below(7);
  for (std::size_t i = 0; i < length; ++i) cdr3 += "GSARLQ"[rng.below(6)];
  return cdr3 + end;
}

std::vector<Cdr3s> drawn(std::size_t count, std::uint64_t seed) {
  Rng rng(seed, "nearest_tcr_test");
  std::vector<Cdr3s> tcrs;
  for (std::size_t i = 0; i < count; ++i) {
    Cdr3s tcr{chain(rng, "CAV", "KLIF"), chain(rng, "CASS", "YEQYF")};
    const auto missing = rng.below(10);
    if (missing < 2) tcr.alpha.clear();
    if (missing == 2) tcr.beta.clear();
    tcrs.push_back(tcr);
  }
  return tcrs;
}

TEST_CASE("the nearest TCR is the one that comparing all finds") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{400}}) {
    const auto tcrs = drawn(count, count);
    NearestTcr nearest(tcrs);
    CHECK(nearest.size() == count);
    for (const Cdr3s& query : drawn(400, 99)) {
      CHECK(nearest.similarity(query) == Approx(brute_force(tcrs, query)).margin(1e-12));
    }
  }
}

TEST_CASE("an equal TCR is at similarity exactly 1, a foreign one at 0") {
  const auto tcrs = drawn(300, 5);
  NearestTcr nearest(tcrs);
  for (const Cdr3s& tcr : tcrs) CHECK(nearest.similarity(tcr) == 1.0);
  CHECK(nearest.similarity({"WWWWWW", "PPPPPP"}) == 0.0);
  CHECK(nearest.similarity({"", ""}) == 0.0);
  CHECK(nearest.similarity({"CA", "CA"}) == 0.0);
  NearestTcr none(std::vector<Cdr3s>{});
  CHECK(none.similarity(tcrs.front()) == 0.0);
  const std::vector<Cdr3s> alpha_only = {{"CAVRDF", ""}};
  NearestTcr one(alpha_only);
  CHECK(one.similarity({"", "CASSLGF"}) == 0.0);
  CHECK(one.similarity({"CAVRDF", "CASSLGF"}) == 1.0);
}

TEST_CASE("edits are counted as Levenshtein counts them") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("GILGFVFTL", "GILGFVFTL") == 0);
  CHECK(edit_distance("GILGFVFTL", "GILGFVFT") == 1);
  CHECK(edit_distance("GILGFVFTL", "GLCTLVAML") == 6);
  CHECK(edit_distance("KITTEN", "SITTING") == 3);
  CHECK(edit_distance("", "ABC") == 3);
}

data::Record record(const std::string& alpha, const std::string& beta, const std::string& epitope,
                    bool label) {
  data::Record result;
  result[data::Column::kCdr3Alpha] = alpha;
  result[data::Column::kCdr3Beta] = beta;
  result[data::Column::kEpitope] = epitope;
  result.label = label;
  return result;
}

TEST_CASE("training TCRs are distinct, sorted, with what they bind, and read as written") {
  const std::vector<data::Record> records = {
      record("CAVF", "CASSF", "GIL", true), record("CAVF", "CASSF", "AAA", true),
      record("CAVF", "CASSF", "NLV", false), record("CAAF", "", "NLV", false)};
  const std::vector<data::Column> both = {data::Column::kCdr3Alpha, data::Column::kCdr3Beta};
  const ReferenceTcrs tcrs = reference_tcrs(records, both);
  const std::string text = format_reference_tcrs(tcrs);
  CHECK(text == "CDR3_alpha,CDR3_beta,Epitopes\nCAAF,,\nCAVF,CASSF,AAA;GIL\n");
  CHECK(format_reference_tcrs(parse_reference_tcrs(text, "t")) == text);
  CHECK_THROWS(parse_reference_tcrs("x,y\n", "t"));
  CHECK_THROWS(parse_reference_tcrs("CDR3_alpha,CDR3_beta,Epitopes\na,b\n", "t"));
  const std::vector<data::Column> beta = {data::Column::kCdr3Beta};
  CHECK(format_reference_tcrs(reference_tcrs(records, beta)) ==
        "CDR3_alpha,CDR3_beta,Epitopes\n,,\n,CASSF,AAA;GIL\n");

  Distances distances(tcrs, both);
  CHECK(distances.nearest_epitope("GIL") == 0);
  CHECK(distances.nearest_epitope("GILV") == 1);
  CHECK(distances.nearest_tcr(record("CAVF", "CASSF", "", false)) == 1.0);
}

}  // namespace
}  // namespace tcrops::stages

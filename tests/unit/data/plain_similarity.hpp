// Near duplicates worked out from the definition, by comparing each with each: what the tests hold
// the indexed search to.
#pragma once

#include "fixtures.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/data/record.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace tcrops::data {

// Levenshtein distance by its table, for texts of whatever length.
inline std::size_t plain_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// Whether the distance is at most 1; similarity_test.cpp holds it to plain_distance.
inline bool plain_near(const std::string& a, const std::string& b) {
  if (a.size() < b.size()) return plain_near(b, a);
  if (a.size() > b.size() + 1) return false;
  std::size_t from = 0;  // where they first differ
  while (from < b.size() && a[from] == b[from]) ++from;
  const std::size_t longer = a.size() - b.size();
  for (std::size_t i = from + 1; i < a.size(); ++i) {
    if (a[i] != b[i - longer]) return false;
  }
  return true;
}

inline bool plain_near(const Record& a, const Record& b) {
  bool shared = false;
  for (const Column chain : {Column::kCdr3Beta, Column::kCdr3Alpha}) {
    if (a[chain].empty() || b[chain].empty()) continue;
    shared = true;
    if (!plain_near(a[chain], b[chain])) return false;
  }
  return shared;
}

// TCRs of few letters, so that near duplicates abound; each chain is missing now and then.
inline std::vector<Record> random_tcrs(std::size_t count, std::uint64_t seed) {
  Rng rng(seed, "random_tcrs");
  const auto chain = [&] {
    if (rng.below(5) == 0) return std::string();
    std::string text = "C";
    for (std::size_t n = 3 + rng.below(4); n > 0; --n) text += "ADS"[rng.below(3)];
    return text + "F";
  };
  std::vector<Record> records(count);
  for (Record& record : records) {
    record[Column::kCdr3Alpha] = chain();
    record[Column::kCdr3Beta] = chain();
    record[Column::kVBeta] = rng.below(2) == 0 ? "TRBV2*01" : "TRBV9*01";
  }
  return records;
}

// Families of near duplicates, each with one epitope; families differ in at least two letters.
inline std::vector<Record> families(std::size_t number, std::size_t size) {
  const std::vector<std::string> epitopes = {"GILGFVFTL", "NLVPMVATV", "KCYGVSPTK"};
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  std::vector<Record> records;
  for (std::size_t f = 0; f < number; ++f) {
    const std::string stem = {letters[f / 20], letters[f / 20], letters[f % 20], letters[f % 20]};
    for (std::size_t m = 0; m < size; ++m) {
      records.push_back(
          make_record("CASS" + stem + letters[m] + "F", epitopes[f % epitopes.size()], true));
      records.back().line = records.size() + 1;
    }
  }
  return records;
}

}  // namespace tcrops::data

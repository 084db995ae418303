// Tables to draw negatives for, and what every drawn negative has to fulfil.
#pragma once

#include "fixtures.hpp"
#include "plain_similarity.hpp"

#include <tcrops/data/negatives.hpp>
#include <tcrops/data/similarity.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::data {

using Pair = std::pair<std::string, std::string>;  // TCR, epitope

inline Pair pair_of(const Record& record) { return {tcr_key(record), record[Column::kEpitope]}; }

// Far from each other but for the last two, which are two edits apart.
inline const std::vector<std::string> kEpitopes = {"GILGFVFTL", "NLVPMVATV",  "KCYGVSPTK",
                                                   "YLQPRTFLL", "TTDPSFLGRY", "RAKFKQLL",
                                                   "GLCTLVAML", "LTDEMIAQY",  "LTDEMIAAA"};

inline const std::vector<std::string> kMhcs = {"HLA-A*02:01", "", "HLA-B*07:02"};

// TCRs of families of three near duplicates; most bind one epitope, some two; every part has all
// epitopes; with an extra column and unlabelled and negative rows in between.
inline std::vector<Record> binders(std::size_t families) {
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  std::vector<Record> records;
  for (std::size_t f = 0; f < families; ++f) {
    const std::string stem = {letters[f / 20], letters[f / 20], letters[f % 20], letters[f % 20]};
    for (std::size_t m = 0; m < 3; ++m) {
      const std::string beta = "CASS" + stem + letters[m] + "F";
      // The first epitope has three times as many as others.
      const std::size_t e = f % 11 < 3 ? 0 : f % 11 - 2;
      records.push_back(make_record(beta, kEpitopes[e], true));
      if (m == 1 && f % 5 == 0) records.push_back(make_record(beta, kEpitopes[(e + 4) % 9], true));
      if (m == 2 && f % 7 == 0) records.push_back(make_record(beta, kEpitopes[(e + 2) % 9], false));
    }
  }
  for (Record& record : records) {
    record.extra = {"kept"};
    record.line = 1 + static_cast<std::size_t>(&record - records.data());
  }
  return records;
}

// Parts by family.
inline std::vector<std::size_t> parts_by_family(const std::vector<Record>& records) {
  const Clusters clusters = cluster_tcrs(records);
  std::vector<std::size_t> parts;
  for (const std::size_t cluster : clusters.of_row) parts.push_back(cluster % 2);
  return parts;
}

// Whether the pair may be a negative, from the definition.
inline bool plain_allowed(const std::vector<Record>& table, const Record& negative) {
  return std::none_of(table.begin(), table.end(), [&](const Record& row) {
    if (pair_of(row) == pair_of(negative)) return true;
    const bool same = tcr_key(row) == tcr_key(negative) || plain_near(row, negative);
    return row.label.value_or(false) && same &&
           plain_distance(row[Column::kEpitope], negative[Column::kEpitope]) < 3;
  });
}

// What holds for negatives of either kind.
inline void check_negatives(const std::vector<Record>& table, const Negatives& negatives) {
  REQUIRE(negatives.records.size() == negatives.parts.size());
  std::set<Pair> seen;
  for (const Record& record : negatives.records) {
    CHECK(seen.insert(pair_of(record)).second);
    CHECK(plain_allowed(table, record));
    CHECK(record.label == std::optional(false));
    CHECK(record.line == 0);
  }
  CHECK(std::is_sorted(negatives.parts.begin(), negatives.parts.end()));
}

inline std::vector<std::vector<std::string>> listing(const Negatives& negatives) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < negatives.records.size(); ++i) {
    const auto& values = negatives.records[i].values;
    rows.emplace_back(values.begin(), values.end());
    rows.back().push_back(std::to_string(negatives.parts[i]));
  }
  return rows;
}

}  // namespace tcrops::data

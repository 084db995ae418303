#include "fixtures.hpp"
#include "plain_similarity.hpp"
#include "real_tables.hpp"

#include <tcrops/data/negatives.hpp>
#include <tcrops/data/similarity.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <iostream>
#include <map>
#include <set>

namespace tcrops::data {
namespace {

using Pair = std::pair<std::string, std::string>;  // TCR, epitope

Pair pair_of(const Record& record) { return {tcr_key(record), record[Column::kEpitope]}; }

// Far from each other but for the last two, which are two edits apart.
const std::vector<std::string> kEpitopes = {"GILGFVFTL", "NLVPMVATV",  "KCYGVSPTK",
                                            "YLQPRTFLL", "TTDPSFLGRY", "RAKFKQLL",
                                            "GLCTLVAML", "LTDEMIAQY",  "LTDEMIAAA"};

// TCRs of families of three near duplicates; most bind one epitope, some two; every part has all
// epitopes; with an extra column and unlabelled and negative rows in between.
std::vector<Record> binders(std::size_t families) {
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
std::vector<std::size_t> parts_by_family(const std::vector<Record>& records) {
  const Clusters clusters = cluster_tcrs(records);
  std::vector<std::size_t> parts;
  for (const std::size_t cluster : clusters.of_row) parts.push_back(cluster % 2);
  return parts;
}

// Whether the pair may be a negative, from the definition.
bool plain_allowed(const std::vector<Record>& table, const Record& negative) {
  return std::none_of(table.begin(), table.end(), [&](const Record& row) {
    if (pair_of(row) == pair_of(negative)) return true;
    const bool same = tcr_key(row) == tcr_key(negative) || plain_near(row, negative);
    return row.label.value_or(false) && same &&
           plain_distance(row[Column::kEpitope], negative[Column::kEpitope]) < 3;
  });
}

// What holds for negatives of either kind.
void check_negatives(const std::vector<Record>& table, const Negatives& negatives) {
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

std::vector<std::vector<std::string>> listing(const Negatives& negatives) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < negatives.records.size(); ++i) {
    const auto& values = negatives.records[i].values;
    rows.emplace_back(values.begin(), values.end());
    rows.back().push_back(std::to_string(negatives.parts[i]));
  }
  return rows;
}

}  // namespace

TEST_CASE("swapped negatives pair binders with other epitopes of their part") {
  auto records = binders(110);
  records[0][Column::kMhc] = "HLA-B*07:02";
  records[7][Column::kMhc] = "";
  const auto parts = parts_by_family(records);
  const Negatives negatives = swapped_negatives(records, parts, {2, 5});
  check_negatives(records, negatives);
  std::map<std::string, std::size_t> part_of;
  std::map<std::string, std::size_t> positives;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!*records[i].label) continue;
    part_of[tcr_key(records[i])] = parts[i];
    ++positives[tcr_key(records[i])];
  }
  std::map<std::string, std::size_t> drawn;
  for (std::size_t i = 0; i < negatives.records.size(); ++i) {
    const Record& record = negatives.records[i];
    CHECK(part_of.at(tcr_key(record)) == negatives.parts[i]);
    CHECK(record.origin == Origin::kSwapped);
    CHECK(record.extra == std::vector<std::string>{""});
    CHECK(record[Column::kMhc] == "HLA-A*02:01");
    ++drawn[tcr_key(record)];
  }
  // As often as it binds, so that how often a TCR occurs says nothing.
  CHECK(negatives.shortage == 0);
  for (const auto& [tcr, count] : positives) CHECK(drawn[tcr] == 2 * count);
}

TEST_CASE("epitopes are drawn in proportion to their binders") {
  // Enough epitopes that none is most of the table; one has four times as many binders.
  std::vector<Record> records;
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  std::map<std::string, std::size_t> positives;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::size_t e = i % 43 < 40 ? i % 40 : 0;
    const std::string epitope =
        std::string(5, letters[e / 2]) + std::string(4, letters[19 - e % 20]);
    const std::string beta = std::string("CA") + letters[i / 400 % 20] + letters[i / 400 % 20] +
                             letters[i / 20 % 20] + letters[i / 20 % 20] + letters[i % 20] +
                             letters[i % 20] + "F";
    records.push_back(make_record(beta, epitope, true));
    ++positives[epitope];
  }
  const Negatives negatives =
      swapped_negatives(records, std::vector<std::size_t>(records.size(), 0), {5, 1});
  CHECK(negatives.shortage == 0);
  CHECK(negatives.records.size() == 5 * 4000);
  std::map<std::string, std::size_t> drawn;
  for (const Record& record : negatives.records) ++drawn[record[Column::kEpitope]];
  for (const auto& [epitope, count] : positives) {
    CHECK(static_cast<double>(drawn[epitope]) / static_cast<double>(count) ==
          Catch::Detail::Approx(5.0).epsilon(0.2));
  }
}

TEST_CASE("negatives that cannot be had are counted") {
  const std::vector<Record> records = {make_record("CASSAAF", "GILGFVFTL", true),
                                       make_record("CASSWWWWF", "NLVPMVATV", true)};
  const std::vector<std::size_t> together = {0, 0};
  const Negatives two = swapped_negatives(records, together, {5, 1});
  CHECK(two.records.size() == 2);
  CHECK(two.shortage == 8);
  const Negatives apart = swapped_negatives(records, std::vector<std::size_t>{0, 1}, {5, 1});
  CHECK(apart.records.empty());
  CHECK(apart.shortage == 10);
  // An excluded row draws nothing, yet what it says is known.
  auto known = records;
  known.push_back(make_record("CASSAAF", "NLVPMVATV", true));
  const Negatives one = swapped_negatives(known, std::vector<std::size_t>{0, 0, kNoPart}, {1, 1});
  REQUIRE(one.records.size() == 1);
  CHECK(one.records[0][Column::kCdr3Beta] == "CASSWWWWF");
  CHECK(one.shortage == 1);
  // So it is when a near duplicate says it.
  known[2][Column::kCdr3Beta] = "CASSADF";
  CHECK(swapped_negatives(known, std::vector<std::size_t>{0, 0, kNoPart}, {1, 1}).shortage == 1);
  CHECK(fails_with(ExitCode::kFailure, "2 records but the parts of 1",
                   [&] { (void)swapped_negatives(records, std::vector<std::size_t>{0}, {}); }));
  CHECK(fails_with(ExitCode::kFailure, "2 records but the parts of 1",
                   [&] { (void)background_negatives(records, std::vector<std::size_t>{0}, {}); }));
}

TEST_CASE("background negatives use all controls of the part equally often") {
  auto records = binders(110);
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 300; ++i) {
    Record control = make_record(std::string("CAWYG") + letters[i / 20] + letters[i / 20] +
                                     letters[i % 20] + letters[i % 20] + "GYWF",
                                 "", false);
    control.label.reset();
    control[Column::kMhc] = "";
    records.push_back(control);
  }
  records.push_back(records[0]);  // binds, so it is no control
  records.back()[Column::kEpitope] = "";
  const auto parts = parts_by_family(records);
  const Negatives negatives = background_negatives(records, parts, {3, 5});
  check_negatives(records, negatives);
  CHECK(negatives.shortage == 0);
  std::map<std::pair<std::size_t, std::string>, std::size_t> due;
  std::map<std::pair<std::size_t, std::string>, std::size_t> got;
  std::map<std::size_t, std::map<std::string, std::size_t>> uses;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].label.value_or(false) && !records[i][Column::kEpitope].empty()) {
      due[{parts[i], records[i][Column::kEpitope]}] += 3;
    }
    if (!records[i].label.has_value()) uses[parts[i]][tcr_key(records[i])] = 0;
  }
  for (std::size_t i = 0; i < negatives.records.size(); ++i) {
    const Record& record = negatives.records[i];
    CHECK(record.origin == Origin::kBackground);
    CHECK(record[Column::kMhc] == "HLA-A*02:01");
    ++got[{negatives.parts[i], record[Column::kEpitope]}];
    ++uses.at(negatives.parts[i]).at(tcr_key(record));
  }
  CHECK(got == due);
  for (const auto& [part, of_tcr] : uses) {
    const auto [least, most] =
        std::minmax_element(of_tcr.begin(), of_tcr.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    CHECK(most->second - least->second <= 1);
  }
  // A thousand of each are more than there are controls.
  const Negatives all = background_negatives(records, parts, {1000, 5});
  CHECK(all.records.size() == 9 * 300);
  CHECK(all.shortage > 0);
  check_negatives(records, all);
}

TEST_CASE("negatives depend on the seed and not on the order of the rows") {
  auto records = binders(60);
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 300; ++i) {
    const char first = letters[i / 20];
    const char second = letters[i % 20];
    records.push_back(
        make_record(std::string("CAWYG") + first + first + second + second + "GF", "", false));
  }
  auto parts = parts_by_family(records);
  const auto swapped = listing(swapped_negatives(records, parts, {3, 1}));
  const auto background = listing(background_negatives(records, parts, {3, 1}));
  CHECK((swapped != listing(swapped_negatives(records, parts, {3, 2}))));
  CHECK((background != listing(background_negatives(records, parts, {3, 2}))));
  std::reverse(records.begin(), records.end());
  std::reverse(parts.begin(), parts.end());
  CHECK((swapped == listing(swapped_negatives(records, parts, {3, 1}))));
  CHECK((background == listing(background_negatives(records, parts, {3, 1}))));
}

TEST_CASE("sides become parts") {
  const std::vector<Side> sides = {Side::kTest, Side::kTrain, Side::kValidation};
  CHECK(parts_of(sides) == std::vector<std::size_t>{2, 0, 1});
  CHECK(parts_of(sides, std::vector<std::size_t>{1}) == std::vector<std::size_t>{2, kNoPart, 1});
}

TEST_CASE("VDJdb has enough binders of other epitopes for its negatives") {
  const auto records = read_vdjdb();
  if (!records) return;
  const auto parts = parts_of(clustered_split(*records, {}, 1));
  const Negatives negatives = swapped_negatives(*records, parts, {});
  const std::size_t due = negatives.records.size() + negatives.shortage;
  std::cout << "VDJdb: " << negatives.records.size() << " swapped negatives, short of "
            << negatives.shortage << '\n';
  CHECK(negatives.shortage * 100 < due);
  std::set<Pair> known;
  for (const Record& record : *records) known.insert(pair_of(record));
  const std::size_t positives = known.size();
  CHECK(due >= 5 * positives);
  for (const Record& record : negatives.records) CHECK(known.insert(pair_of(record)).second);
  // A few against the definition, each with the whole table.
  for (std::size_t i = 0; i < negatives.records.size(); i += negatives.records.size() / 20) {
    CHECK(plain_allowed(*records, negatives.records[i]));
  }
}

}  // namespace tcrops::data

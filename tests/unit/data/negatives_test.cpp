#include "negatives_support.hpp"
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

TEST_CASE("swapped negatives pair binders with other epitopes of their part") {
  const auto records = binders(110);
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
  CHECK(one.unmatched == 0);
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
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i][Column::kMhc] = kMhcs[i % 5 % 3];
    if (i % 7 == 0) records[i][Column::kVAlpha] = "";
  }
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
  CHECK(negatives.unmatched <= negatives.shortage);
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

#include "../data/fixtures.hpp"
#include "../data/plain_similarity.hpp"
#include "../data/real_tables.hpp"

#include <tcrops/data/negatives.hpp>
#include <tcrops/data/split.hpp>
#include <tcrops/eval/leak_check.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <functional>
#include <iostream>
#include <map>
#include <set>

namespace tcrops::eval {
namespace {

using data::Column;
using data::fails_with;
using data::make_record;
using data::Record;
using data::Side;

constexpr Side kTrain = Side::kTrain;
constexpr Side kValidation = Side::kValidation;
constexpr Side kTest = Side::kTest;

const std::vector<std::string> kEpitopes = {"GILGFVFTL", "NLVPMVATV",  "KCYGVSPTK",
                                            "YLQPRTFLL", "TTDPSFLGRY", "RAKFKQLL"};

// Every TCR with every epitope; it binds one. Pairs of near duplicates bind the same.
std::vector<Record> matrix(std::size_t families) {
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  std::vector<Record> records;
  for (std::size_t i = 0; i < 2 * families; ++i) {
    const std::size_t f = i / 2;
    const std::string beta = std::string("CASS") + letters[f / 20] + letters[f / 20] +
                             letters[f % 20] + letters[f % 20] + letters[i % 2] + "F";
    for (std::size_t e = 0; e < kEpitopes.size(); ++e) {
      records.push_back(make_record(beta, kEpitopes[e], e == f % kEpitopes.size()));
      records.back().line = records.size() + 1;
    }
  }
  return records;
}

// AUROC by comparing each positive with each negative.
double plain_auroc(const std::vector<std::pair<bool, double>>& rows) {
  double won = 0;
  double games = 0;
  for (const auto& [positive, score] : rows) {
    for (const auto& [other, below] : rows) {
      if (!positive || other) continue;
      won += score > below ? 1.0 : score == below ? 0.5 : 0.0;
      ++games;
    }
  }
  return games > 0 ? won / games : std::nan("");
}

}  // namespace

TEST_CASE("a hand-worked table shows each leak") {
  const auto row = [](const std::string& beta, const std::string& epitope, bool label) {
    return make_record(beta, epitope, label);
  };
  std::vector<Record> records = {
      row("CASSAAAF", "GILGFVFTL", true),    // 2 train
      row("CASSAAAF", "NLVPMVATV", false),   // 3 test: on two sides, with two labels
      row("CASSAADF", "GILGFVFTL", true),    // 4 validation: near the first
      row("CASSWWWWF", "GILGFVFTL", true),   // 5 test: near to none
      row("CASSKKKKF", "GILGFVFTL", false),  // 6 train
      row("CASSKKKKF", "GILGFVFTL", true),   // 7 train: the same pair again, otherwise
      row("CASSRRRRF", "", false)};          // 8 test: a control
  for (std::size_t i = 0; i < records.size(); ++i) records[i].line = i + 2;
  records[0].line = 0;  // from no file
  const std::vector<Side> sides = {kTrain, kTest, kValidation, kTest, kTrain, kTrain, kTest};
  const LeakCheck check = check_leaks(records, sides);
  CHECK(check.shared_tcrs.count == 1);
  CHECK(check.shared_tcrs.lines.empty());
  CHECK(check.near_test_train.count == 1);
  CHECK(check.near_test_train.lines == std::vector<std::size_t>{3});
  CHECK(check.near_validation_train.lines == std::vector<std::size_t>{4});
  CHECK(check.near_test_validation.lines == std::vector<std::size_t>{3});
  CHECK(check.label_across_sides.count == 1);
  CHECK(check.label_conflicts.count == 1);
  CHECK(check.label_conflicts.lines == std::vector<std::size_t>{7});
  CHECK(std::isnan(check.tcr_rows.auroc));
  CHECK_FALSE(check.tcr_rows.leaks());
  CHECK_FALSE(check.passed());
  CHECK(check.failures().size() == 6);
  const Json json = check.to_json();
  CHECK(json["passed"] == false);
  CHECK(json["tcr_rows"]["auroc"].is_null());
  CHECK(json["near_test_train"] == Json({{"count", 1}, {"lines", {3}}}));
  CHECK_FALSE(json["epitope_share"].contains("leak"));
  CHECK(canonical_json(json).find("CASS") == std::string::npos);
}

TEST_CASE("an empty or clean table passes") {
  CHECK(check_leaks({}, {}).passed());
  const std::vector<Record> records = {make_record("CASSAAAF", "GILGFVFTL", true),
                                       make_record("CASSWWWWF", "GILGFVFTL", false)};
  const LeakCheck check = check_leaks(records, std::vector<Side>{kTrain, kTest});
  CHECK(check.passed());
  CHECK(check.to_json()["passed"] == true);
  CHECK(fails_with(ExitCode::kFailure, "2 records but 1 sides",
                   [&] { (void)check_leaks(records, std::vector<Side>{kTrain}); }));
}

TEST_CASE("a split by row of every TCR with every epitope fails, a clustered one passes") {
  const auto records = matrix(150);
  const auto by_row = check_leaks(records, data::random_split(records.size(), {0.1, 0.2}, 1));
  CHECK_FALSE(by_row.passed());
  CHECK(by_row.shared_tcrs.count > 200);
  CHECK(by_row.shared_tcrs.lines.size() == 5);
  CHECK(by_row.label_across_sides.count > 100);
  // A TCR whose positive is in train is a negative in test.
  CHECK(by_row.tcr_share.auroc < 0.3);
  CHECK(by_row.tcr_share.leaks());
  const auto by_tcr = check_leaks(records, data::grouped_split(records, {0.1, 0.2}, 1));
  CHECK(by_tcr.shared_tcrs.count == 0);
  CHECK(by_tcr.near_test_train.count > 10);
  CHECK_FALSE(by_tcr.passed());
  const auto clustered = check_leaks(records, data::clustered_split(records, {0.1, 0.2}, 1));
  CHECK(clustered.passed());
  CHECK(clustered.tcr_rows.auroc == 0.5);
  CHECK(clustered.tcr_share.auroc == 0.5);
  CHECK(clustered.tcr_rows.epitopes == kEpitopes.size());
}

TEST_CASE("a TCR that occurs often is a negative where negatives repeat few TCRs") {
  // Positives once each; negatives are ten TCRs over and over.
  std::vector<Record> records;
  std::vector<Side> sides;
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string& epitope = kEpitopes[i % 2];
    records.push_back(make_record(std::string("CASS") + letters[i / 20] + letters[i / 20] +
                                      letters[i % 20] + letters[i % 20] + "F",
                                  epitope, true));
    const std::string control = std::string(20 + i % 10, 'G');
    records.push_back(make_record("CAW" + control + "F", kEpitopes[i % 2], false));
    for (int n = 0; n < 2; ++n) sides.push_back(kTest);
  }
  const LeakCheck check = check_leaks(records, sides);
  CHECK(check.tcr_rows.auroc == 1.0);
  CHECK(check.tcr_rows.leaks());
  CHECK(check.failures().size() == 1);
}

TEST_CASE("frequency scores are those of a comparison of each with each") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto records = data::random_tcrs(400, seed);
    Rng rng(seed, "leak_check_test");
    std::vector<Side> sides;
    for (Record& record : records) {
      record[Column::kEpitope] = kEpitopes[rng.below(3)];
      if (rng.below(10) > 0) record.label = rng.below(3) == 0;
      sides.push_back(static_cast<Side>(rng.below(3)));
    }
    const LeakCheck check = check_leaks(records, sides);
    std::map<std::string, std::vector<std::pair<bool, double>>> by_rows;
    std::map<std::string, std::vector<std::pair<bool, double>>> by_share;
    std::vector<std::pair<bool, double>> by_epitope;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (sides[i] != kTest || !records[i].label) continue;
      double here = 0, all = 0, yes = 0, epitope_all = 0, epitope_yes = 0;
      for (std::size_t j = 0; j < records.size(); ++j) {
        if (!records[j].label) continue;
        const bool same = data::tcr_key(records[i]) == data::tcr_key(records[j]);
        const bool known = sides[j] == kTrain;
        if (same && sides[j] == kTest) ++here;
        if (same && known) ++(*records[j].label ? yes : all);
        if (known && records[i][Column::kEpitope] == records[j][Column::kEpitope]) {
          ++(*records[j].label ? epitope_yes : epitope_all);
        }
      }
      all += yes;
      const bool label = *records[i].label;
      by_rows[records[i][Column::kEpitope]].push_back({label, -here});
      by_share[records[i][Column::kEpitope]].push_back({label, all > 0 ? yes / all : 0.5});
      by_epitope.push_back({label, epitope_yes / (epitope_yes + epitope_all)});
      ++rows;
    }
    const auto macro = [](const auto& groups) {
      double sum = 0;
      for (const auto& [epitope, scored] : groups) sum += plain_auroc(scored);
      return sum / static_cast<double>(groups.size());
    };
    CHECK(check.tcr_rows.auroc == Catch::Detail::Approx(macro(by_rows)));
    CHECK(check.tcr_share.auroc == Catch::Detail::Approx(macro(by_share)));
    CHECK(check.epitope_share.auroc == Catch::Detail::Approx(plain_auroc(by_epitope)));
    CHECK(check.tcr_rows.positives + check.tcr_rows.negatives == rows);
    // Near duplicates, each with each.
    std::set<std::string> near;
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (std::size_t j = 0; j < records.size(); ++j) {
        if (sides[i] != kTest || sides[j] != kTrain) continue;
        if (data::tcr_key(records[i]) == data::tcr_key(records[j]) ||
            data::plain_near(records[i], records[j])) {
          near.insert(data::tcr_key(records[i]));
        }
      }
    }
    CHECK(check.near_test_train.count == near.size());
  }
}

TEST_CASE("a score leaks beyond a tenth and beyond three standard errors") {
  CHECK(FrequencyScore{0.61, 10, 1000, 1000, 0.01}.leaks());
  CHECK(FrequencyScore{0.39, 10, 1000, 1000, 0.01}.leaks());
  CHECK_FALSE(FrequencyScore{0.59, 10, 1000, 1000, 0.01}.leaks());
  CHECK_FALSE(FrequencyScore{0.7, 1, 5, 5, 0.07}.leaks());
  CHECK(FrequencyScore{0.72, 1, 5, 5, 0.07}.leaks());
  CHECK_FALSE(FrequencyScore{}.leaks());
}

TEST_CASE("MHC or missing columns that only positives have give the labels away") {
  const auto all = matrix(120);
  std::vector<Record> positives;
  for (const Record& record : all) {
    if (!*record.label) continue;
    positives.push_back(record);
    const std::size_t n = positives.size();
    if (n % 3 == 0) positives.back()[Column::kMhc] = "HLA-B*07:02";
    if (n % 4 == 0) positives.back()[Column::kMhc] = "";
    if (n % 5 == 0) positives.back()[Column::kVAlpha] = "";
  }
  const std::vector<Side> split = data::clustered_split(positives, {0.1, 0.3}, 1);
  const auto drawn = data::swapped_negatives(positives, data::parts_of(split), {3, 1});
  const auto check_with = [&](const std::function<void(Record&)>& spoil) {
    std::vector<Record> records = positives;
    std::vector<Side> sides = split;
    for (std::size_t i = 0; i < drawn.records.size(); ++i) {
      records.push_back(drawn.records[i]);
      spoil(records.back());
      sides.push_back(static_cast<Side>(drawn.parts[i]));
    }
    return check_leaks(records, sides);
  };
  const LeakCheck sound = check_with([](Record&) {});
  CHECK(sound.passed());
  CHECK(sound.to_json()["mhc_share"]["leak"] == false);
  const LeakCheck by_mhc = check_with([](Record& r) { r[Column::kMhc] = "HLA-A*02:01"; });
  CHECK(by_mhc.mhc_share.leaks());
  CHECK(by_mhc.missing_share.auroc > 0.5);
  REQUIRE_FALSE(by_mhc.failures().empty());
  CHECK(by_mhc.failures()[0].find("which MHC binds") != std::string::npos);
  CHECK(by_mhc.to_json()["mhc_share"]["leak"] == true);
  const LeakCheck by_gap = check_with([](Record& r) { r[Column::kVBeta] = ""; });
  CHECK(by_gap.missing_share.auroc == 1.0);
  CHECK(by_gap.to_json()["missing_share"]["leak"] == true);
  CHECK(by_gap.failures().back().find("which columns are missing") != std::string::npos);
}

TEST_CASE("epitopes with one label are counted, and are no leak") {
  std::vector<Record> records;
  std::vector<Side> sides;
  const auto add = [&](const std::string& beta, std::size_t epitope, bool label, Side side) {
    records.push_back(make_record(beta, kEpitopes[epitope], label));
    records.back().line = 1 + records.size();
    sides.push_back(side);
  };
  add("CASSAAAF", 0, false, kTrain);      // 2: no binder on any side
  add("CASSWWWWF", 0, false, kTest);      // 3: and one label on both
  add("CASSKKKKKKF", 1, true, kTrain);    // 4: binders only
  add("CASSLLLLLLLLF", 1, true, kTest);   // 5
  add("CATTTTF", 1, false, kValidation);  // 6: validation has no say in that
  add("CAYYYYYYF", 2, false, kTest);      // 7: other labels in train
  add("CAVVVVVVVVF", 2, true, kTrain);    // 8
  add("CAQQQQQQQQQQF", 3, false, kTest);  // 9: train has none
  const LeakCheck check = check_leaks(records, sides);
  CHECK(check.epitopes_without_binder.lines == std::vector<std::size_t>{2, 9});
  CHECK(check.one_label_rows.lines == std::vector<std::size_t>{3, 5});
  CHECK(check.passed());
  CHECK(check.to_json()["one_label_rows"] == Json({{"count", 2}, {"lines", {3, 5}}}));
  CHECK(check.to_json()["epitopes_without_binder"]["count"] == 2);
  // A pair called both is a conflict, whatever the MHC.
  add("CASSWWWWF", 0, true, kTest);
  records.back()[Column::kMhc] = "HLA-B*07:02";
  CHECK(check_leaks(records, sides).label_conflicts.lines == std::vector<std::size_t>{10});
}

TEST_CASE("IMMREP22 leaks as its readers found, and swapped negatives of VDJdb do not") {
  if (const auto records = data::read_immrep22()) {
    const LeakCheck check = check_leaks(*records, data::random_split(records->size(), {}, 1));
    CHECK(check.label_across_sides.count > 100);
    CHECK(check.tcr_share.leaks());
    const LeakCheck clustered = check_leaks(*records, data::clustered_split(*records, {}, 1));
    CHECK(clustered.shared_tcrs.count == 0);
    CHECK(clustered.near_test_train.count == 0);
    CHECK(clustered.near_test_validation.count == 0);
    for (const std::string& line : clustered.failures()) std::cout << "IMMREP22: " << line << '\n';
  }
  if (const auto table = data::read_vdjdb()) {
    std::vector<Record> records = *table;
    std::vector<Side> sides = data::clustered_split(records, {}, 1);
    const auto negatives = data::swapped_negatives(records, data::parts_of(sides), {});
    records.insert(records.end(), negatives.records.begin(), negatives.records.end());
    for (const std::size_t part : negatives.parts) sides.push_back(static_cast<Side>(part));
    const LeakCheck check = check_leaks(records, sides);
    std::cout << "VDJdb: " << check.to_json().dump() << '\n';
    CHECK(check.passed());
  }
}

}  // namespace tcrops::eval

#include "fixtures.hpp"
#include "plain_similarity.hpp"

#include <tcrops/data/split.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <map>
#include <set>

namespace tcrops::data {

TEST_CASE("folds keep their units together and are of one size") {
  auto records = families(150, 2);
  for (std::size_t i = 0; i < 300; i += 2) records.push_back(Record(records[i]));
  for (const FoldUnit unit : {FoldUnit::kRow, FoldUnit::kTcr, FoldUnit::kCluster}) {
    const Folds folds = assign_folds(records, 5, unit, 2);
    REQUIRE(folds.of_row.size() == records.size());
    std::map<std::string, std::set<std::size_t>> of_tcr;
    std::map<std::string, std::set<std::size_t>> of_family;
    std::map<std::pair<std::string, std::size_t>, std::set<std::string>> tcrs;
    std::map<std::size_t, std::size_t> rows;
    for (std::size_t i = 0; i < records.size(); ++i) {
      of_tcr[tcr_key(records[i])].insert(folds.of_row[i]);
      of_family[records[i][Column::kCdr3Beta].substr(0, 8)].insert(folds.of_row[i]);
      tcrs[{records[i][Column::kEpitope], folds.of_row[i]}].insert(tcr_key(records[i]));
      ++rows[folds.of_row[i]];
    }
    const auto torn = [](const auto& groups) {
      return std::count_if(groups.begin(), groups.end(),
                           [](const auto& group) { return group.second.size() > 1; });
    };
    CHECK((torn(of_tcr) == 0) == (unit != FoldUnit::kRow));
    CHECK((torn(of_family) == 0) == (unit == FoldUnit::kCluster));
    for (const auto& [key, members] : tcrs) {
      if (unit != FoldUnit::kRow) CHECK(members.size() == 20);
    }
    for (const auto& [fold, size] : rows) {
      if (unit == FoldUnit::kRow) CHECK(size == 90);
    }
  }
  CHECK(assign_folds(records, 5, FoldUnit::kCluster, 2).of_row !=
        assign_folds(records, 5, FoldUnit::kCluster, 3).of_row);
}

TEST_CASE("folds by epitope, with controls") {
  auto records = families(30, 2);
  for (std::size_t i = 0; i < 20; ++i) {
    records.push_back(make_record(
        "CASRRRR" + std::string(i + 1, 'G') + std::string(i + 1, 'A') + "F", "", false));
  }
  const Folds folds = assign_folds(records, 3, FoldUnit::kEpitope, 1);
  std::map<std::string, std::set<std::size_t>> of_epitope;
  std::set<std::size_t> of_controls;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i < 60) of_epitope[records[i][Column::kEpitope]].insert(folds.of_row[i]);
    if (i >= 60) of_controls.insert(folds.of_row[i]);
  }
  std::set<std::size_t> seen;
  for (const auto& [epitope, of] : of_epitope) {
    CHECK(of.size() == 1);
    seen.insert(*of.begin());
  }
  CHECK(seen.size() == 3);
  CHECK(of_controls.size() == 3);
  CHECK(fails_with(ExitCode::kInputData, "3 groups of similar epitopes are too few",
                   [&] { (void)assign_folds(records, 4, FoldUnit::kEpitope, 1); }));
  CHECK(fails_with(ExitCode::kConfiguration, "at least 2",
                   [&] { (void)assign_folds(records, 1, FoldUnit::kRow, 1); }));
}

TEST_CASE("folds become sides") {
  const Folds folds{{0, 1, 2, 3, 0}, 4};
  CHECK(sides_of_folds(folds, {0, 3}) ==
        std::vector<Side>{Side::kTest, Side::kTrain, Side::kTrain, Side::kValidation, Side::kTest});
  for (const FoldPair pair : {FoldPair{1, 1}, FoldPair{4, 0}, FoldPair{0, 4}}) {
    CHECK(fails_with(ExitCode::kConfiguration, "two different folds of 0 to 3",
                     [&] { (void)sides_of_folds(folds, pair); }));
  }
  CHECK(fails_with(ExitCode::kConfiguration, "none is left to train", [] {
    (void)sides_of_folds({{0, 1}, 2}, {});
  }));
  const auto pairs = fold_pairs(4);
  REQUIRE(pairs.size() == 4);
  CHECK(pairs[3].test == 3);
  CHECK(pairs[3].validation == 0);
  std::set<std::pair<std::size_t, std::size_t>> nested;
  for (const FoldPair& pair : nested_fold_pairs(4)) nested.insert({pair.test, pair.validation});
  CHECK(nested.size() == 12);
  CHECK_FALSE(nested.contains({2, 2}));
}

TEST_CASE("sides and folds that the input gives") {
  const auto with_folds = [](const std::vector<std::string>& folds) {
    std::vector<Record> records;
    for (const std::string& fold : folds) {
      records.push_back(make_record("CASSF", "GILGFVFTL", true));
      records.back().fold = fold;
      records.back().line = records.size() + 1;
    }
    return records;
  };
  CHECK(given_split(with_folds({"train", "VALID", "Validation", " val", "Test", "TRAIN"})) ==
        std::vector<Side>{Side::kTrain, Side::kValidation, Side::kValidation, Side::kValidation,
                          Side::kTest, Side::kTrain});
  const auto numbered = with_folds({"7", "3", "10", "3", "-1"});
  CHECK(given_folds(numbered).of_row == std::vector<std::size_t>{2, 1, 3, 1, 0});
  CHECK(given_folds(numbered).count == 4);
  CHECK(given_split(numbered, {1, 3}) ==
        std::vector<Side>{Side::kTrain, Side::kTest, Side::kValidation, Side::kTest, Side::kTrain});
  const auto refused = [&](const std::vector<std::string>& folds, const std::string& part) {
    return fails_with(ExitCode::kInputData, part, [&] { (void)given_split(with_folds(folds)); });
  };
  CHECK(refused({"train", "holdout"}, "line 3: Fold \"holdout\" is not train"));
  CHECK(refused({"train", ""}, "line 3: Fold \"\""));
  CHECK(refused({"train", "1"}, "line 3"));
  CHECK(refused({"1", "2", "test"}, "line 4: Fold \"test\" is not a fold number"));
  CHECK(refused({"1", "1"}, "1 different folds"));
  CHECK(refused({"test", "valid"}, "no row is on train"));
}

}  // namespace tcrops::data

// Splits by row, cluster and epitope. split_test.cpp has the two older splits.
#include "fixtures.hpp"
#include "plain_similarity.hpp"
#include "real_tables.hpp"

#include <tcrops/data/similarity.hpp>
#include <tcrops/data/split.hpp>

#include <algorithm>
#include <array>
#include <catch_all.hpp>
#include <cmath>
#include <iostream>
#include <map>
#include <set>

namespace tcrops::data {
namespace {

constexpr std::array<Side, 3> kSides = {Side::kTrain, Side::kValidation, Side::kTest};

std::size_t count(const std::vector<Side>& sides, Side side) {
  return static_cast<std::size_t>(std::count(sides.begin(), sides.end(), side));
}

// Every TCR with every epitope of the table.
std::vector<Record> full_matrix(const std::vector<Record>& binders) {
  std::set<std::string> epitopes;
  for (const Record& record : binders) epitopes.insert(record[Column::kEpitope]);
  std::vector<Record> records;
  for (const Record& binder : binders) {
    for (const std::string& epitope : epitopes) {
      records.push_back(binder);
      records.back()[Column::kEpitope] = epitope;
      records.back().label = epitope == binder[Column::kEpitope];
    }
  }
  return records;
}

// Near duplicates on different sides, each with each; `excluded` rows do not count.
std::size_t plain_crossings(const std::vector<Record>& records, const std::vector<Side>& sides,
                            const std::vector<std::size_t>& excluded = {}) {
  const std::set<std::size_t> out(excluded.begin(), excluded.end());
  std::size_t crossings = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (sides[i] == sides[j] || out.contains(i) || out.contains(j)) continue;
      crossings += plain_near(records[i], records[j]) ? 1 : 0;
    }
  }
  return crossings;
}

// Distinct TCRs of a side that have a near duplicate elsewhere, each with each but for lengths that
// are two apart.
std::size_t plain_crossings_of(const std::vector<Record>& records, const std::vector<Side>& sides,
                               Side side) {
  std::map<std::string, std::size_t> inside;
  std::map<std::string, std::size_t> outside;
  for (std::size_t i = 0; i < records.size(); ++i) {
    (sides[i] == side ? inside : outside).try_emplace(tcr_key(records[i]), i);
  }
  using Lengths = std::pair<std::size_t, std::size_t>;
  std::map<Lengths, std::vector<std::size_t>> buckets;
  const auto lengths_of = [&](std::size_t i) {
    return Lengths(records[i][Column::kCdr3Alpha].size(), records[i][Column::kCdr3Beta].size());
  };
  for (const auto& [key, i] : outside) buckets[lengths_of(i)].push_back(i);
  const auto far = [](std::size_t a, std::size_t b) {
    return a > 0 && b > 0 && (a > b + 1 || b > a + 1);
  };
  std::size_t crossings = 0;
  for (const auto& [key, i] : inside) {
    const Lengths here = lengths_of(i);
    for (const auto& [there, rows] : buckets) {
      if (far(here.first, there.first) || far(here.second, there.second)) continue;
      crossings += std::any_of(rows.begin(), rows.end(),
                               [&](std::size_t j) { return plain_near(records[i], records[j]); });
    }
  }
  return crossings;
}

void show_sides(const char* name, const std::vector<Record>& records,
                const std::vector<Side>& sides) {
  std::map<Side, std::set<std::string>> tcrs;
  std::map<Side, std::set<std::string>> epitopes;
  for (std::size_t i = 0; i < records.size(); ++i) {
    tcrs[sides[i]].insert(tcr_key(records[i]));
    epitopes[sides[i]].insert(records[i][Column::kEpitope]);
  }
  std::cout << name << ':';
  for (const Side side : kSides) {
    std::cout << ' ' << side_name(side) << ' ' << tcrs[side].size() << " TCRs "
              << epitopes[side].size() << " epitopes " << count(sides, side) << " rows;";
  }
  std::cout << '\n';
}

}  // namespace

TEST_CASE("random_split cuts the rows by the fractions") {
  const auto sides = random_split(1005, {0.1, 0.2}, 3);
  CHECK(count(sides, Side::kValidation) == 100);
  CHECK(count(sides, Side::kTest) == 201);
  CHECK(sides == random_split(1005, {0.1, 0.2}, 3));
  CHECK(sides != random_split(1005, {0.1, 0.2}, 4));
  CHECK(count(random_split(3, {0.0, 0.4}, 1), Side::kValidation) == 0);
  CHECK(
      fails_with(ExitCode::kInputData, "3 rows are too few", [] { (void)random_split(3, {}, 1); }));
  CHECK(fails_with(ExitCode::kConfiguration, "less than 1", [] {
    (void)random_split(30, {0.5, 0.6}, 1);
  }));
}

TEST_CASE("a clustered split keeps near duplicates together") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    auto records = random_tcrs(300, seed);
    // Lone TCRs, since the others hang together.
    for (const Record& record : families(40, 2)) records.push_back(record);
    const auto sides = clustered_split(records, {0.1, 0.1}, seed);
    CHECK(plain_crossings(records, sides) == 0);
    for (const Side side : kSides) CHECK(count(sides, side) > 0);
  }
}

TEST_CASE("a clustered split keeps the fractions for every epitope") {
  const auto records = families(300, 4);
  for (const SplitFractions fractions : {SplitFractions{}, {0.15, 0.2}, {0.3, 0.3}, {0.0, 0.25}}) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      const auto sides = clustered_split(records, fractions, seed);
      CHECK(plain_crossings(records, sides) == 0);
      std::map<std::string, std::map<Side, double>> binders;
      for (std::size_t i = 0; i < records.size(); ++i) {
        ++binders[records[i][Column::kEpitope]][sides[i]];
      }
      for (auto& [epitope, of_side] : binders) {
        CHECK(std::abs(of_side[Side::kTest] - 400 * fractions.test) <= 4.0);
        CHECK(std::abs(of_side[Side::kValidation] - 400 * fractions.validation) <= 4.0);
      }
    }
  }
}

TEST_CASE("rare epitopes are shared out too") {
  auto records = families(200, 1);
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i][Column::kEpitope] = std::string("GIL") + letters[i / 20] + letters[i % 20] + "FTL";
  }
  const auto sides = clustered_split(records, {0.2, 0.2}, 1);
  CHECK(count(sides, Side::kTest) == 40);
  CHECK(count(sides, Side::kValidation) == 40);
}

TEST_CASE("a clustered split depends on the seed and the columns, not on the order of the rows") {
  auto records = families(60, 3);
  const auto sides = clustered_split(records, {}, 7);
  CHECK(sides != clustered_split(records, {}, 8));
  std::reverse(records.begin(), records.end());
  auto reversed = clustered_split(records, {}, 7);
  std::reverse(reversed.begin(), reversed.end());
  CHECK(sides == reversed);
  // All alphas are the same: to a model of the alpha there is one TCR.
  const std::vector<Column> alpha = {Column::kCdr3Alpha};
  CHECK(fails_with(ExitCode::kInputData, "1 clusters of similar TCRs are too few",
                   [&] { (void)clustered_split(records, {}, 7, alpha); }));
}

TEST_CASE("every side of a clustered split gets a cluster while there are enough") {
  const auto three = families(3, 5);
  const auto sides = clustered_split(three, {}, 1);
  for (const Side side : kSides) CHECK(count(sides, side) == 5);
  CHECK(fails_with(ExitCode::kInputData, "2 clusters of similar TCRs are too few",
                   [&] { (void)clustered_split(families(2, 5), {}, 1); }));
  CHECK(fails_with(ExitCode::kConfiguration, "less than 1", [&] {
    (void)clustered_split(three, {0.5, 0.5}, 1);
  }));
}

TEST_CASE("no epitope, similar epitope or similar TCR stands on two sides of an epitope split") {
  // Twelve epitopes of which the first two, and the third through the second, are similar.
  const std::vector<std::string> epitopes = {"GILGFVFTL", "GILGFVFAA", "GILGFVLLAA", "NLVPMVATV",
                                             "KCYGVSPTK", "YLQPRTFLL", "TTDPSFLGRY", "RAKFKQLL",
                                             "GLCTLVAML", "LTDEMIAQY", "SPRWYFYYL",  "AVFDRKSDAK"};
  auto binders = families(120, 2);
  for (std::size_t i = 0; i < binders.size(); ++i) {
    binders[i][Column::kEpitope] = epitopes[i / 2 % epitopes.size()];
  }
  binders[0][Column::kEpitope] = epitopes[5];  // a family that binds two epitopes
  for (const auto& records : {binders, full_matrix(binders)}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const EpitopeSplit split = leave_epitope_out_split(records, {0.2, 0.2}, seed);
      CHECK(plain_crossings(records, split.sides, split.excluded) == 0);
      CHECK(std::is_sorted(split.excluded.begin(), split.excluded.end()));
      const std::set<std::size_t> out(split.excluded.begin(), split.excluded.end());
      std::map<std::string, std::set<Side>> sides_of;
      std::map<Side, std::size_t> binding;
      std::size_t lost = 0;
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (*records[i].label && out.contains(i)) ++lost;
        if (out.contains(i)) continue;
        sides_of[records[i][Column::kEpitope]].insert(split.sides[i]);
        if (*records[i].label) ++binding[split.sides[i]];
      }
      for (const auto& [epitope, sides] : sides_of) CHECK(sides.size() == 1);
      CHECK(sides_of[epitopes[0]] == sides_of[epitopes[1]]);
      CHECK(sides_of[epitopes[1]] == sides_of[epitopes[2]]);
      for (const Side side : kSides) CHECK(binding[side] >= 20);
      CHECK(lost <= 1);  // of binding pairs only the torn family can lose one
      if (records.size() == binders.size()) CHECK(split.excluded.size() <= 1);
    }
  }
}

TEST_CASE("TCRs are kept apart as the header says") {
  const auto pair = [](const std::string& beta, const std::string& epitope, bool label) {
    return make_record(beta, epitope, label);
  };
  const std::vector<Record> records = {
      pair("CASSAAF", "GILGFVFTL", true),
      pair("CASSADF", "GILGFVFTL", true),
      pair("CASSAAF", "NLVPMVATV", true),  // goes: the cluster binds more on train
      pair("CASSWWWF", "GILGFVFTL", true),
      pair("CASSWWWF", "NLVPMVATV", true),    // a tie: test
      pair("CASSKKKKF", "NLVPMVATV", false),  // a negative alone stays where it is
      pair("CASSAEF", "", false)};            // a control follows its cluster
  const std::vector<Side> sides = {Side::kTrain, Side::kTrain, Side::kTest, Side::kTrain,
                                   Side::kTest,  Side::kTest,  Side::kTest};
  const EpitopeSplit split = keep_tcrs_apart(records, sides, 1);
  CHECK(split.excluded == std::vector<std::size_t>{2, 3});
  CHECK(split.sides[5] == Side::kTest);
  CHECK(split.sides[6] == Side::kTrain);
  CHECK(fails_with(ExitCode::kFailure, "7 records but 0 sides",
                   [&] { (void)keep_tcrs_apart(records, {}, 1); }));
}

TEST_CASE("TCRs that bind nothing come to the sides by their share of the table") {
  std::vector<Record> records;
  std::vector<Side> sides;
  for (const Record& record : families(400, 1)) {
    for (const char* epitope : {"GILGFVFTL", "NLVPMVATV", "KCYGVSPTK", "YLQPRTFLL"}) {
      records.push_back(make_record(record[Column::kCdr3Beta], epitope, false));
      sides.push_back(std::string(epitope) == "GILGFVFTL" ? Side::kTest : Side::kTrain);
    }
  }
  const EpitopeSplit split = keep_tcrs_apart(records, sides, 1);
  // One row stays of a TCR on test, three of one on train; a quarter of the TCRs are on test.
  const double kept = static_cast<double>(records.size() - split.excluded.size());
  CHECK(std::abs((1200 - kept) / 2 - 100) < 30);
}

TEST_CASE("an epitope split that cannot be made says why") {
  CHECK(fails_with(ExitCode::kInputData, "2 groups of similar epitopes are too few",
                   [] { (void)leave_epitope_out_split(families(2, 3), {}, 1); }));
  // One cluster binds all three epitopes: only one side can have it.
  auto one = families(1, 3);
  one[1][Column::kEpitope] = "NLVPMVATV";
  one[2][Column::kEpitope] = "KCYGVSPTK";
  CHECK(fails_with(ExitCode::kInputData, "no binding pair is left for",
                   [&] { (void)leave_epitope_out_split(one, {}, 1); }));
}

TEST_CASE("clustered splits of published tables have no near duplicate on two sides") {
  if (const auto records = read_vdjdb()) {
    const auto sides = clustered_split(*records, {}, 1);
    show_sides("VDJdb", *records, sides);
    CHECK(plain_crossings_of(*records, sides, Side::kTest) == 0);
    const EpitopeSplit split = leave_epitope_out_split(*records, {}, 1);
    std::vector<Record> kept;
    std::vector<Side> of_kept;
    for (std::size_t i = 0; i < records->size(); ++i) {
      if (std::binary_search(split.excluded.begin(), split.excluded.end(), i)) continue;
      kept.push_back((*records)[i]);
      of_kept.push_back(split.sides[i]);
    }
    std::cout << "VDJdb by epitope: " << split.excluded.size() << " rows excluded\n";
    show_sides("VDJdb by epitope", kept, of_kept);
    CHECK(plain_crossings_of(kept, of_kept, Side::kTest) == 0);
    std::vector<Record> paired = *records;
    std::erase_if(paired, [](const Record& r) {
      return r[Column::kCdr3Alpha].empty() || r[Column::kCdr3Beta].empty();
    });
    show_sides("VDJdb, paired", paired, clustered_split(paired, {}, 1));
  }
  if (const auto records = read_immrep22()) {
    const auto sides = clustered_split(*records, {}, 1);
    show_sides("IMMREP22", *records, sides);
    CHECK(plain_crossings_of(*records, sides, Side::kTest) == 0);
    CHECK(plain_crossings_of(*records, sides, Side::kValidation) == 0);
    CHECK(plain_crossings_of(*records, grouped_split(*records, {}, 1), Side::kTest) > 0);
  }
}

}  // namespace tcrops::data

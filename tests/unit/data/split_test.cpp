#include "fixtures.hpp"

#include <tcrops/data/split.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <map>

namespace tcrops::data {
namespace {

const std::vector<std::string> kEpitopes = {"GILGFVFTL", "NLVPMVATV", "TYGPVFMCL", "KCYGVSPTK"};
// Binders of each epitope; what is left of the TCRs binds nothing.
const std::vector<std::size_t> kBinders = {200, 60, 30, 10};
constexpr std::size_t kTcrs = 320;

std::string beta_of(std::size_t number) {
  constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY";
  return std::string("CASS") + kLetters[number / 20] + kLetters[number % 20] + "F";
}

std::vector<Record> make_table() {
  std::vector<Record> records;
  for (std::size_t e = 0; e < kEpitopes.size(); ++e) {
    std::size_t first = 0;
    for (std::size_t before = 0; before < e; ++before) first += kBinders[before];
    for (std::size_t t = 0; t < kTcrs; ++t) {
      const bool binds = t >= first && t < first + kBinders[e];
      records.push_back(make_record(beta_of(t), kEpitopes[e], binds));
    }
  }
  return records;
}

std::size_t count(const std::vector<Side>& sides, Side side) {
  return static_cast<std::size_t>(std::count(sides.begin(), sides.end(), side));
}

}  // namespace

TEST_CASE("randperm is PyTorch's") {
  const auto order = torch_randperm(8932, 42);
  const std::vector<std::int64_t> first(order.begin(), order.begin() + 10);
  CHECK(first ==
        std::vector<std::int64_t>{2206, 8277, 8658, 5031, 1966, 6465, 3992, 4506, 722, 5937});
  CHECK(torch_randperm(0, 42).empty());
  CHECK(torch_randperm(1, 42) == std::vector<std::int64_t>{0});
}

TEST_CASE("the random split cuts the permutation in order") {
  const auto sides = torch_random_split(8932, {}, 42);
  CHECK(count(sides, Side::kTrain) == 7146);
  CHECK(count(sides, Side::kValidation) == 893);
  CHECK(count(sides, Side::kTest) == 893);
  const auto order = torch_randperm(8932, 42);
  CHECK(sides[static_cast<std::size_t>(order.front())] == Side::kTrain);
  CHECK(sides[static_cast<std::size_t>(order[7146])] == Side::kValidation);
  CHECK(sides[static_cast<std::size_t>(order.back())] == Side::kTest);
  CHECK(shared_tcrs(make_table(), torch_random_split(kTcrs * 4, {}, 42)) > 50);
}

TEST_CASE("what a model cannot tell apart stands on one side") {
  auto records = make_table();
  // Every beta twice, with another alpha: one TCR to a model that sees beta only.
  const std::size_t once = records.size();
  for (std::size_t i = 0; i < once; ++i) {
    records.push_back(records[i]);
    records.back()[Column::kCdr3Alpha] = "CGGF";
  }
  const std::vector<Column> beta = {Column::kCdr3Beta};
  CHECK(shared_tcrs(records, grouped_split(records, {}, 1), beta) > 0);
  CHECK(shared_tcrs(records, grouped_split(records, {}, 1, beta), beta) == 0);
}

TEST_CASE("a grouped split shares no TCR and keeps the fractions for every epitope") {
  const auto records = make_table();
  for (const SplitFractions fractions : {SplitFractions{}, {0.15, 0.2}, {0.3, 0.3}, {0.0, 0.25}}) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      const auto sides = grouped_split(records, fractions, seed);
      CHECK(shared_tcrs(records, sides) == 0);
      const auto near = [&](double share, std::size_t total, std::size_t seen) {
        return std::abs(share * static_cast<double>(total) - static_cast<double>(seen)) <= 1.0;
      };
      CHECK(near(fractions.test, kTcrs, count(sides, Side::kTest) / kEpitopes.size()));
      CHECK(near(fractions.validation, kTcrs, count(sides, Side::kValidation) / kEpitopes.size()));
      std::map<std::string, std::map<Side, std::size_t>> binders;
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (*records[i].label) ++binders[records[i][Column::kEpitope]][sides[i]];
      }
      for (std::size_t e = 0; e < kEpitopes.size(); ++e) {
        CHECK(near(fractions.test, kBinders[e], binders[kEpitopes[e]][Side::kTest]));
        CHECK(near(fractions.validation, kBinders[e], binders[kEpitopes[e]][Side::kValidation]));
      }
    }
  }
}

TEST_CASE("a grouped split depends on the seed and not on the order of the rows") {
  auto records = make_table();
  const auto sides = grouped_split(records, {}, 7);
  CHECK(sides != grouped_split(records, {}, 8));
  std::reverse(records.begin(), records.end());
  auto reversed = grouped_split(records, {}, 7);
  std::reverse(reversed.begin(), reversed.end());
  CHECK(sides == reversed);
}

TEST_CASE("a split that cannot be made says why") {
  const std::vector<Record> two = {make_record("CASSF", "GILGFVFTL", true),
                                   make_record("CASSW", "GILGFVFTL", true)};
  CHECK(fails_with(ExitCode::kInputData, "2 distinct TCRs are too few",
                   [&] { (void)grouped_split(two, {}, 1); }));
  CHECK(
      fails_with(ExitCode::kInputData, "0 distinct TCRs", [&] { (void)grouped_split({}, {}, 1); }));
  CHECK(fails_with(ExitCode::kConfiguration, "less than 1", [&] {
    (void)grouped_split(two, {0.5, 0.5}, 1);
  }));
}

}  // namespace tcrops::data

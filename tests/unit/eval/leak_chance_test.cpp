// How far chance takes the scores of the leak check.
#include <tcrops/core/rng.hpp>
#include <tcrops/eval/leak_check.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::eval {
namespace {

using data::Column;
using data::Record;
using data::Side;

constexpr Side kTrain = Side::kTrain;
constexpr Side kTest = Side::kTest;

const std::vector<std::string> kEpitopes = {"GILGFVFTL", "NLVPMVATV", "KCYGVSPTK", "YLQPRTFLL"};

// Pairs of one epitope on train and test, told apart by MHC only. MHC number m has m positives
// among twenty rows of train, so that mhc_share ranks by m.
struct MhcTable {
  std::vector<Record> records;
  std::vector<Side> sides;

  void add(const std::string& epitope, std::size_t mhc, bool label, Side side) {
    Record record;
    record[Column::kEpitope] = epitope;
    record[Column::kMhc] = std::string(1 + mhc, 'M');
    record.label = label;
    records.push_back(std::move(record));
    sides.push_back(side);
  }
  void add_train(const std::string& epitope) {
    for (std::size_t mhc = 0; mhc < 20; ++mhc) {
      for (std::size_t n = 0; n < 20; ++n) add(epitope, mhc, n < mhc, kTrain);
    }
  }
};

}  // namespace

TEST_CASE("the standard error is the spread over all ways to give the labels") {
  // Seven rows of test, three of them positive; some share an MHC.
  const auto error_of_all = [](const std::vector<std::size_t>& mhcs) {
    double squares = 0;
    double ways = 0;
    double claimed = -1;
    for (unsigned bits = 0; bits < 128; ++bits) {
      MhcTable table;
      table.add_train(kEpitopes[0]);
      unsigned positives = 0;
      for (unsigned i = 0; i < 7; ++i) {
        const bool label = (bits >> i & 1U) != 0;
        positives += label ? 1 : 0;
        table.add(kEpitopes[0], mhcs[i], label, kTest);
      }
      if (positives != 3) continue;
      const FrequencyScore score = check_leaks(table.records, table.sides).mhc_share;
      squares += (score.auroc - 0.5) * (score.auroc - 0.5);
      ++ways;
      claimed = score.standard_error;
    }
    CHECK(ways == 35);
    CHECK(claimed == Catch::Detail::Approx(std::sqrt(squares / ways)));
    return claimed;
  };
  const double distinct = error_of_all({1, 2, 3, 4, 5, 6, 7});
  CHECK(distinct == Catch::Detail::Approx(std::sqrt(8.0 / (12 * 3 * 4))));
  const double tied = error_of_all({1, 2, 2, 2, 2, 6, 6});
  CHECK(tied < distinct);
  // Of several epitopes, that of the mean.
  MhcTable both;
  const std::vector<std::size_t> first = {1, 2, 3, 4, 5, 6, 7};
  const std::vector<std::size_t> second = {1, 2, 2, 2, 2, 6, 6};
  for (std::size_t e = 0; e < 2; ++e) {
    both.add_train(kEpitopes[e]);
    for (std::size_t i = 0; i < 7; ++i) {
      both.add(kEpitopes[e], e == 0 ? first[i] : second[i], i < 3, kTest);
    }
  }
  CHECK(check_leaks(both.records, both.sides).mhc_share.standard_error ==
        Catch::Detail::Approx(std::sqrt(distinct * distinct + tied * tied) / 2));
}

TEST_CASE("a table of one large and three small epitopes raises no false alarm") {
  const std::size_t repeats = 500;
  Rng rng(11, "leak_check_false_alarms");
  MhcTable table;
  std::vector<std::pair<std::size_t, std::size_t>> blocks;  // first row of test, and how many
  for (std::size_t e = 0; e < 4; ++e) {
    table.add_train(kEpitopes[e]);
    blocks.emplace_back(table.records.size(), e == 0 ? 1200 : 18);
    for (std::size_t i = 0; i < blocks[e].second; ++i) {
      table.add(kEpitopes[e], rng.below(20), i * 6 < blocks[e].second, kTest);
    }
  }
  std::size_t alarms = 0;
  std::size_t pooled_alarms = 0;  // with the error of one AUROC over all rows
  double squares = 0;
  for (std::size_t n = 0; n < repeats; ++n) {
    for (const auto& [begin, count] : blocks) {
      std::vector<std::size_t> order(count);
      for (std::size_t i = 0; i < count; ++i) order[i] = i;
      rng.shuffle(order);
      for (std::size_t i = 0; i < count; ++i) table.records[begin + i].label = order[i] * 6 < count;
    }
    const FrequencyScore score = check_leaks(table.records, table.sides).mhc_share;
    alarms += score.leaks() ? 1 : 0;
    const auto p = static_cast<double>(score.positives);
    const auto q = static_cast<double>(score.negatives);
    FrequencyScore pooled = score;
    pooled.standard_error = std::sqrt((p + q + 1) / (12 * p * q));
    pooled_alarms += pooled.leaks() ? 1 : 0;
    squares += (score.auroc - 0.5) * (score.auroc - 0.5) / score.standard_error /
               score.standard_error / static_cast<double>(repeats);
  }
  std::cout << "false alarms of " << repeats << ": " << alarms << ", with a pooled error "
            << pooled_alarms << '\n';
  CHECK(alarms <= repeats / 100);
  CHECK(pooled_alarms > repeats / 10);
  CHECK(squares == Catch::Detail::Approx(1.0).margin(0.25));
}

}  // namespace tcrops::eval

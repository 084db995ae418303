#include "split_balance.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/split.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

namespace tcrops::data {
namespace {

std::size_t share_of(double fraction, std::size_t n) {
  return static_cast<std::size_t>(std::floor(fraction * static_cast<double>(n)));
}

// What grouped_split needs to know of one TCR.
struct Tcr {
  std::string key;
  std::set<std::string> epitopes;  // that it binds
  std::vector<std::size_t> rows;
};

// The distinct TCRs, sorted by key so that the order of the rows has no say.
std::vector<Tcr> collect_tcrs(std::span<const Record> records, std::span<const Column> columns) {
  std::unordered_map<std::string, std::size_t> index;
  std::vector<Tcr> tcrs;
  for (std::size_t row = 0; row < records.size(); ++row) {
    check_interrupt();
    std::string key = tcr_key(records[row], columns);
    const auto [at, is_new] = index.try_emplace(key, tcrs.size());
    if (is_new) tcrs.push_back({std::move(key), {}, {}});
    Tcr& tcr = tcrs[at->second];
    tcr.rows.push_back(row);
    if (records[row].label.value_or(false)) tcr.epitopes.insert(records[row][Column::kEpitope]);
  }
  std::sort(tcrs.begin(), tcrs.end(), [](const Tcr& a, const Tcr& b) { return a.key < b.key; });
  return tcrs;
}

// TCRs by the epitope they bind: of several the one with the fewest binders, since that one can
// spare a TCR least. Those that bind nothing stand under the empty name.
std::map<std::string, std::vector<std::size_t>> make_strata(const std::vector<Tcr>& tcrs) {
  std::map<std::string, std::size_t> binders;
  for (const Tcr& tcr : tcrs) {
    for (const std::string& epitope : tcr.epitopes) ++binders[epitope];
  }
  std::map<std::string, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < tcrs.size(); ++i) {
    check_interrupt();
    const auto& epitopes = tcrs[i].epitopes;
    const auto rarest =
        std::min_element(epitopes.begin(), epitopes.end(),
                         [&](const auto& a, const auto& b) { return binders[a] < binders[b]; });
    strata[rarest == epitopes.end() ? std::string() : *rarest].push_back(i);
  }
  return strata;
}

// Deals one side its share, stratum by stratum. Rounding the running total, not each stratum, keeps
// every stratum and the whole within one TCR of the fraction. `phase` shifts where the sides step,
// so that a small stratum does not give to both at once.
class Dealer {
 public:
  Dealer(double fraction, double phase) : fraction_(fraction), phase_(phase) {}

  std::size_t deal(std::size_t seen, std::size_t available) {
    const double target = std::floor(fraction_ * static_cast<double>(seen) + phase_);
    const std::size_t due = static_cast<std::size_t>(target) - dealt_;
    const std::size_t count = std::min(due, available);
    dealt_ += count;
    return count;
  }
  [[nodiscard]] bool empty_handed() const { return fraction_ > 0 && dealt_ == 0; }

 private:
  double fraction_;
  double phase_;
  std::size_t dealt_ = 0;
};

std::vector<Side> deal_sides(std::map<std::string, std::vector<std::size_t>> strata,
                             std::size_t tcrs, SplitFractions fractions, std::uint64_t seed) {
  std::vector<std::string> names;
  for (const auto& [name, members] : strata) names.push_back(name);
  Rng(seed, "grouped_split order").shuffle(names);
  Dealer test(fractions.test, 0.5);
  Dealer validation(fractions.validation, 0.0);
  std::vector<Side> sides(tcrs, Side::kTrain);
  std::size_t seen = 0;
  for (const std::string& name : names) {
    std::vector<std::size_t>& members = strata[name];
    Rng(seed, "grouped_split " + name).shuffle(members);
    seen += members.size();
    const std::size_t for_test = test.deal(seen, members.size());
    const std::size_t for_validation = validation.deal(seen, members.size() - for_test);
    for (std::size_t i = 0; i < for_test + for_validation; ++i) {
      sides[members[i]] = i < for_test ? Side::kTest : Side::kValidation;
    }
  }
  const bool no_train = std::find(sides.begin(), sides.end(), Side::kTrain) == sides.end();
  if (no_train || test.empty_handed() || validation.empty_handed()) {
    throw Error(ExitCode::kInputData,
                fmt::format("split: {} distinct TCRs are too few to give train, validation ({}) "
                            "and test ({}) one each; add TCRs or enlarge the fractions",
                            tcrs, fractions.validation, fractions.test));
  }
  return sides;
}

}  // namespace

std::string_view side_name(Side side) {
  switch (side) {
    case Side::kTrain:
      return "train";
    case Side::kValidation:
      return "validation";
    case Side::kTest:
      return "test";
  }
  return "";
}

std::vector<std::int64_t> torch_randperm(std::int64_t n, std::uint64_t seed) {
  // From here on PyTorch draws 64-bit numbers; no table comes near.
  constexpr std::int64_t kLimit = std::numeric_limits<std::uint32_t>::max() / 20;
  if (n < 0 || n >= kLimit) {
    throw Error(ExitCode::kInputData,
                fmt::format("torch_randperm: {} rows; from 0 to {} are possible", n, kLimit - 1));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::mt19937 generator(static_cast<std::uint32_t>(seed & 0xFFFFFFFFU));
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    std::swap(order[i], order[i + generator() % (order.size() - i)]);
  }
  return order;
}

std::vector<Side> torch_random_split(std::size_t n, SplitFractions fractions, std::uint64_t seed) {
  check_fractions(fractions);
  const std::size_t test = share_of(fractions.test, n);
  const std::size_t validation = share_of(fractions.validation, n);
  const std::size_t train = n - validation - test;
  const auto order = torch_randperm(static_cast<std::int64_t>(n), seed);
  std::vector<Side> sides(n, Side::kTrain);
  for (std::size_t i = train; i < n; ++i) {
    sides[static_cast<std::size_t>(order[i])] =
        i < train + validation ? Side::kValidation : Side::kTest;
  }
  return sides;
}

std::vector<Side> grouped_split(std::span<const Record> records, SplitFractions fractions,
                                std::uint64_t seed, std::span<const Column> columns) {
  check_fractions(fractions);
  const std::vector<Tcr> tcrs = collect_tcrs(records, columns);
  const std::vector<Side> dealt = deal_sides(make_strata(tcrs), tcrs.size(), fractions, seed);
  std::vector<Side> sides(records.size(), Side::kTrain);
  for (std::size_t i = 0; i < tcrs.size(); ++i) {
    for (const std::size_t row : tcrs[i].rows) sides[row] = dealt[i];
  }
  return sides;
}

std::size_t shared_tcrs(std::span<const Record> records, std::span<const Side> sides,
                        std::span<const Column> columns) {
  if (records.size() != sides.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("shared_tcrs: {} records but {} sides", records.size(), sides.size()));
  }
  std::unordered_map<std::string, std::set<Side>> seen;
  for (std::size_t i = 0; i < records.size(); ++i) {
    check_interrupt();
    seen[tcr_key(records[i], columns)].insert(sides[i]);
  }
  return static_cast<std::size_t>(std::count_if(
      seen.begin(), seen.end(), [](const auto& entry) { return entry.second.size() > 1; }));
}

}  // namespace tcrops::data

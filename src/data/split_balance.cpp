#include "split_balance.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace tcrops::data {
namespace {

std::size_t kinds_of(const std::vector<Unit>& units) {
  std::size_t kinds = 1;
  for (const Unit& unit : units) {
    for (const Holding& holding : unit.holdings) kinds = std::max(kinds, holding.kind + 1);
  }
  return kinds;
}

std::vector<double> totals_of(const std::vector<Unit>& units, std::size_t kinds) {
  std::vector<double> totals(kinds, 0.0);
  for (const Unit& unit : units) {
    for (const Holding& holding : unit.holdings) totals[holding.kind] += holding.amount;
  }
  return totals;
}

double smallest_share(std::span<const double> shares) {
  double smallest = 1.0;
  for (const double share : shares) {
    if (share > 0) smallest = std::min(smallest, share);
  }
  return smallest;
}

// Merges the kinds too rare to be shared out, so that together they still are.
std::vector<Unit> pool_rare_kinds(std::vector<Unit> units, double share) {
  const std::size_t kinds = kinds_of(units);
  const std::vector<double> totals = totals_of(units, kinds);
  for (Unit& unit : units) {
    Holding pooled{kinds, 0.0};
    std::erase_if(unit.holdings, [&](const Holding& holding) {
      const bool rare = holding.kind != 0 && totals[holding.kind] * share < 1.0;
      if (rare) pooled.amount += holding.amount;
      return rare;
    });
    if (pooled.amount > 0) unit.holdings.push_back(pooled);
  }
  return units;
}

double size_of(const Unit& unit) {
  double size = 0.0;
  for (const Holding& holding : unit.holdings) {
    if (holding.kind == 0) size = holding.amount;
  }
  return size;
}

// Units by size, those of one size in random order.
std::vector<std::size_t> dealing_order(const std::vector<Unit>& units, Rng rng) {
  std::vector<std::size_t> order(units.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.shuffle(order);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(units[a]) > size_of(units[b]);
  });
  return order;
}

// What each part still lacks of each kind.
class Needs {
 public:
  Needs(const std::vector<Unit>& units, std::span<const double> shares)
      : shares_(shares.begin(), shares.end()), totals_(totals_of(units, kinds_of(units))) {
    for (const double share : shares) {
      lacking_.emplace_back();
      for (const double total : totals_) lacking_.back().push_back(share * total);
    }
  }

  // By how much giving the unit to the part reduces the sum of (held - due)^2 / due.
  [[nodiscard]] double gain(const Unit& unit, std::size_t part) const {
    double gain = 0.0;
    for (const auto& [kind, amount] : unit.holdings) {
      const double due = shares_[part] * totals_[kind];
      gain += amount * (2.0 * lacking_[part][kind] - amount) / due;
    }
    return gain;
  }

  // Among equally good parts the larger, then the first.
  [[nodiscard]] std::size_t best_part(const Unit& unit) const {
    std::size_t best = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t part = 0; part < shares_.size(); ++part) {
      if (shares_[part] <= 0) continue;
      const double here = gain(unit, part);
      if (here < most || (here == most && shares_[part] <= shares_[best])) continue;
      best = part;
      most = here;
    }
    return best;
  }

  void give(const Unit& unit, std::size_t part) {
    for (const auto& [kind, amount] : unit.holdings) lacking_[part][kind] -= amount;
  }

 private:
  std::vector<double> shares_;
  std::vector<double> totals_;
  std::vector<std::vector<double>> lacking_;  // [part][kind]
};

// Gives each part that has a share but no unit the last dealt one of the part that has most.
std::vector<std::size_t> fill_empty_parts(std::vector<std::size_t> part_of,
                                          std::span<const double> shares,
                                          const std::vector<std::size_t>& order) {
  for (std::size_t part = 0; part < shares.size(); ++part) {
    std::vector<std::size_t> counts(shares.size(), 0);
    for (const std::size_t of_unit : part_of) ++counts[of_unit];
    if (shares[part] <= 0 || counts[part] > 0) continue;
    const auto fullest =
        static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    const auto smallest = std::find_if(order.rbegin(), order.rend(),
                                       [&](std::size_t unit) { return part_of[unit] == fullest; });
    part_of[*smallest] = part;
  }
  return part_of;
}

// Counts distinct things by unit and kind.
class Tally {
 public:
  void add(std::size_t unit, std::size_t kind, std::size_t thing) {
    entries_.emplace_back(unit, kind, thing);
  }

  std::vector<Unit> units(std::size_t count) {
    std::sort(entries_.begin(), entries_.end());
    entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
    std::vector<Unit> units(count);
    for (const auto& [unit, kind, thing] : entries_) {
      std::vector<Holding>& holdings = units[unit].holdings;
      if (holdings.empty() || holdings.back().kind != kind) holdings.push_back({kind, 0.0});
      holdings.back().amount += 1.0;
    }
    return units;
  }

 private:
  std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> entries_;
};

// Epitopes numbered from 1 in the order of their names.
std::map<std::string, std::size_t> number_epitopes(std::span<const Record> records) {
  std::map<std::string, std::size_t> numbers;
  for (const Record& record : records) {
    if (!record[Column::kEpitope].empty()) numbers.try_emplace(record[Column::kEpitope], 0);
  }
  std::size_t next = 1;
  for (auto& [epitope, number] : numbers) number = next++;
  return numbers;
}

}  // namespace

void check_fractions(SplitFractions fractions) {
  const double held_out = fractions.validation + fractions.test;
  if (fractions.validation >= 0 && fractions.test >= 0 && held_out < 1) return;
  throw Error(ExitCode::kConfiguration,
              fmt::format("split: validation {} and test {} must not be negative and must add up "
                          "to less than 1",
                          fractions.validation, fractions.test));
}

std::vector<double> side_shares(SplitFractions fractions) {
  return {1.0 - fractions.validation - fractions.test, fractions.validation, fractions.test};
}

std::vector<Unit> units_of(std::span<const Record> records,
                           std::span<const std::size_t> unit_of_row,
                           std::span<const std::size_t> tcr_of_row) {
  const auto epitopes = number_epitopes(records);
  Tally tally;
  std::size_t count = 0;
  for (std::size_t row = 0; row < records.size(); ++row) {
    check_interrupt();
    count = std::max(count, unit_of_row[row] + 1);
    tally.add(unit_of_row[row], 0, tcr_of_row[row]);
    const std::string& epitope = records[row][Column::kEpitope];
    if (!records[row].label.value_or(false) || epitope.empty()) continue;
    tally.add(unit_of_row[row], epitopes.at(epitope), tcr_of_row[row]);
  }
  return tally.units(count);
}

std::vector<std::size_t> deal_units(std::vector<Unit> units, std::span<const double> shares,
                                    Rng rng, const std::string& what) {
  const auto parts = static_cast<std::size_t>(
      std::count_if(shares.begin(), shares.end(), [](double share) { return share > 0; }));
  if (units.size() < parts) {
    throw Error(ExitCode::kInputData,
                fmt::format("split: {} {} are too few to give each of {} sides or folds one; add "
                            "data, ask for fewer, or split by another unit",
                            units.size(), what, parts));
  }
  units = pool_rare_kinds(std::move(units), smallest_share(shares));
  const std::vector<std::size_t> order = dealing_order(units, rng);
  Needs needs(units, shares);
  std::vector<std::size_t> part_of(units.size());
  for (const std::size_t unit : order) {
    check_interrupt();
    part_of[unit] = needs.best_part(units[unit]);
    needs.give(units[unit], part_of[unit]);
  }
  return fill_empty_parts(std::move(part_of), shares, order);
}

EpitopeGroups group_epitopes(std::span<const Record> records) {
  const auto numbers = number_epitopes(records);
  std::vector<std::string_view> names;
  for (const auto& [name, number] : numbers) names.push_back(name);
  // Spreads each group from its first epitope.
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> group(names.size(), kNone);
  EpitopeGroups groups;
  for (std::size_t first = 0; first < names.size(); ++first) {
    if (group[first] != kNone) continue;
    std::vector<std::size_t> reached = {first};
    group[first] = groups.count;
    while (!reached.empty()) {
      check_interrupt();
      const std::string_view from = names[reached.back()];
      reached.pop_back();
      for (std::size_t other = first; other < names.size(); ++other) {
        if (group[other] != kNone || !within_edits(from, names[other], kEpitopeDistance - 1)) {
          continue;
        }
        group[other] = groups.count;
        reached.push_back(other);
      }
    }
    ++groups.count;
  }
  groups.of_row.reserve(records.size());
  for (const Record& record : records) {
    const auto at = numbers.find(record[Column::kEpitope]);
    groups.of_row.push_back(at == numbers.end() ? groups.count : group[at->second - 1]);
  }
  return groups;
}

std::vector<Unit> epitope_units(std::span<const Record> records, const EpitopeGroups& groups,
                                std::span<const std::size_t> tcr_of_row) {
  const auto epitopes = number_epitopes(records);
  Tally tally;
  const std::size_t tcrs = records.size() + 1;
  for (std::size_t row = 0; row < records.size(); ++row) {
    check_interrupt();
    if (groups.of_row[row] == groups.count) continue;
    const std::size_t epitope = epitopes.at(records[row][Column::kEpitope]);
    tally.add(groups.of_row[row], 1, epitope);
    if (!records[row].label.value_or(false)) continue;
    tally.add(groups.of_row[row], 0, epitope * tcrs + tcr_of_row[row]);
  }
  return tally.units(groups.count);
}

}  // namespace tcrops::data

// Folds, and the sides that the input itself gives.
#include "split_balance.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace tcrops::data {
namespace {

std::vector<std::size_t> row_numbers(std::size_t n) {
  std::vector<std::size_t> rows(n);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

std::vector<std::size_t> fold_of_rows(std::span<const std::size_t> unit_of_row,
                                      const std::vector<std::size_t>& fold_of_unit) {
  std::vector<std::size_t> of_row;
  of_row.reserve(unit_of_row.size());
  for (const std::size_t unit : unit_of_row) of_row.push_back(fold_of_unit[unit]);
  return of_row;
}

// Epitopes as groups; what has no epitope (control TCRs) as clusters, dealt apart.
std::vector<std::size_t> deal_epitopes(std::span<const Record> records,
                                       std::span<const double> shares, std::uint64_t seed,
                                       std::span<const Column> columns) {
  const EpitopeGroups groups = group_epitopes(records);
  const DistinctTcrs tcrs = distinct_tcrs(records, columns);
  std::vector<std::size_t> folds =
      deal_units(epitope_units(records, groups, tcrs.of_row), shares,
                 Rng(seed, "assign_folds epitopes"), "groups of similar epitopes");
  std::vector<Record> controls;
  for (std::size_t row = 0; row < records.size(); ++row) {
    if (groups.of_row[row] == groups.count) controls.push_back(records[row]);
  }
  std::vector<std::size_t> of_control;
  if (!controls.empty()) {
    const Clusters clusters = cluster_tcrs(controls, columns);
    const DistinctTcrs distinct = distinct_tcrs(controls, columns);
    of_control = fold_of_rows(
        clusters.of_row, deal_units(units_of(controls, clusters.of_row, distinct.of_row), shares,
                                    Rng(seed, "assign_folds controls"), "clusters of controls"));
  }
  std::vector<std::size_t> of_row;
  auto next = of_control.begin();
  for (const std::size_t group : groups.of_row) {
    of_row.push_back(group == groups.count ? *next++ : folds[group]);
  }
  return of_row;
}

std::string row_place(const Record& record, std::size_t row) {
  return record.line > 0 ? fmt::format("line {}", record.line) : fmt::format("row {}", row + 1);
}

std::optional<Side> side_named(std::string_view text) {
  const std::string name = to_lower(trim(text));
  if (name == "train") return Side::kTrain;
  if (name == "validation" || name == "valid" || name == "val") return Side::kValidation;
  if (name == "test") return Side::kTest;
  return std::nullopt;
}

}  // namespace

Folds assign_folds(std::span<const Record> records, std::size_t k, FoldUnit unit,
                   std::uint64_t seed, std::span<const Column> columns) {
  if (k < 2) {
    throw Error(ExitCode::kConfiguration, fmt::format("folds: {} folds; at least 2 are needed", k));
  }
  const std::vector<double> shares(k, 1.0 / static_cast<double>(k));
  const auto deal = [&](std::span<const std::size_t> unit_of_row,
                        std::span<const std::size_t> tcr_of_row, const std::string& what) {
    return fold_of_rows(unit_of_row, deal_units(units_of(records, unit_of_row, tcr_of_row), shares,
                                                Rng(seed, "assign_folds"), what));
  };
  switch (unit) {
    case FoldUnit::kRow: {
      const std::vector<std::size_t> rows = row_numbers(records.size());
      return {deal(rows, rows, "rows"), k};
    }
    case FoldUnit::kTcr: {
      const DistinctTcrs tcrs = distinct_tcrs(records, columns);
      return {deal(tcrs.of_row, tcrs.of_row, "distinct TCRs"), k};
    }
    case FoldUnit::kCluster: {
      const DistinctTcrs tcrs = distinct_tcrs(records, columns);
      return {deal(cluster_tcrs(records, columns).of_row, tcrs.of_row, "clusters of similar TCRs"),
              k};
    }
    case FoldUnit::kEpitope:
      return {deal_epitopes(records, shares, seed, columns), k};
  }
  return {};
}

Folds given_folds(std::span<const Record> records) {
  std::vector<std::int64_t> numbers;
  std::map<std::int64_t, std::size_t> ranks;
  for (std::size_t row = 0; row < records.size(); ++row) {
    const auto number = parse_integer(trim(records[row].fold));
    if (!number) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: {} \"{}\" is not a fold number; give every row one, or choose "
                              "another split",
                              row_place(records[row], row), kFoldColumn, records[row].fold));
    }
    numbers.push_back(*number);
    ranks.try_emplace(*number, 0);
  }
  if (ranks.size() < 2) {
    throw Error(ExitCode::kInputData, fmt::format("{}: {} different folds; at least 2 are needed",
                                                  kFoldColumn, ranks.size()));
  }
  Folds folds;
  for (auto& [number, rank] : ranks) rank = folds.count++;
  for (const std::int64_t number : numbers) folds.of_row.push_back(ranks.at(number));
  return folds;
}

std::vector<Side> sides_of_folds(const Folds& folds, FoldPair pair) {
  if (pair.test == pair.validation || pair.test >= folds.count || pair.validation >= folds.count) {
    throw Error(
        ExitCode::kConfiguration,
        fmt::format("folds: test {} and validation {} must be two different folds of 0 to "
                    "{}",
                    pair.test, pair.validation, static_cast<std::int64_t>(folds.count) - 1));
  }
  if (folds.count < 3) {
    throw Error(ExitCode::kConfiguration,
                "folds: with 2 folds none is left to train on; ask for 3 or more");
  }
  std::vector<Side> sides;
  sides.reserve(folds.of_row.size());
  for (const std::size_t fold : folds.of_row) {
    sides.push_back(fold == pair.test         ? Side::kTest
                    : fold == pair.validation ? Side::kValidation
                                              : Side::kTrain);
  }
  return sides;
}

std::vector<FoldPair> fold_pairs(std::size_t k) {
  std::vector<FoldPair> pairs;
  for (std::size_t test = 0; test < k; ++test) pairs.push_back({test, (test + 1) % k});
  return pairs;
}

std::vector<FoldPair> nested_fold_pairs(std::size_t k) {
  std::vector<FoldPair> pairs;
  for (std::size_t test = 0; test < k; ++test) {
    for (std::size_t validation = 0; validation < k; ++validation) {
      if (validation != test) pairs.push_back({test, validation});
    }
  }
  return pairs;
}

std::vector<Side> given_split(std::span<const Record> records, FoldPair pair) {
  if (!records.empty() && parse_integer(trim(records.front().fold))) {
    return sides_of_folds(given_folds(records), pair);
  }
  std::vector<Side> sides;
  for (std::size_t row = 0; row < records.size(); ++row) {
    const auto side = side_named(records[row].fold);
    if (!side) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: {} \"{}\" is not train, validation or test; name one for every "
                              "row, or number all of them as folds",
                              row_place(records[row], row), kFoldColumn, records[row].fold));
    }
    sides.push_back(*side);
  }
  if (std::find(sides.begin(), sides.end(), Side::kTrain) == sides.end()) {
    throw Error(ExitCode::kInputData,
                fmt::format("{}: no row is on train; nothing can be learned", kFoldColumn));
  }
  return sides;
}

}  // namespace tcrops::data

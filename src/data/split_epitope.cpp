// Splits by epitope.
#include "split_balance.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace tcrops::data {
namespace {

constexpr std::array<Side, 3> kHeldOutFirst = {Side::kTest, Side::kValidation, Side::kTrain};

// Rows with an epitope, by side.
using SideCounts = std::array<std::size_t, 3>;
struct Presence {
  SideCounts rows{};
  SideCounts binding{};
};

std::size_t total(const SideCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

// One of the sides with a count, with chances in proportion to `chances`.
Side draw_side(const SideCounts& counts, const SideCounts& chances, Rng rng) {
  SideCounts open{};
  for (std::size_t side = 0; side < open.size(); ++side) {
    if (counts[side] > 0) open[side] = chances[side];
  }
  if (total(open) == 0) return Side::kTrain;
  std::uint64_t left = rng.below(total(open));
  std::size_t side = 0;
  for (; left >= open[side]; ++side) left -= open[side];
  return static_cast<Side>(side);
}

Side side_of_cluster(const Presence& cluster, const SideCounts& table, Rng rng) {
  if (total(cluster.binding) == 0) {
    return draw_side(total(cluster.rows) == 0 ? table : cluster.rows, table, rng);
  }
  return *std::max_element(kHeldOutFirst.begin(), kHeldOutFirst.end(), [&](Side a, Side b) {
    return cluster.binding[static_cast<std::size_t>(a)] <
           cluster.binding[static_cast<std::size_t>(b)];
  });
}

void require_binders(std::span<const Record> records, const EpitopeSplit& split,
                     SplitFractions fractions) {
  SideCounts binding{};
  auto excluded = split.excluded.begin();
  for (std::size_t row = 0; row < records.size(); ++row) {
    if (excluded != split.excluded.end() && *excluded == row) {
      ++excluded;
    } else if (records[row].label.value_or(false)) {
      ++binding[static_cast<std::size_t>(split.sides[row])];
    }
  }
  const std::vector<double> shares = side_shares(fractions);
  for (const Side side : kHeldOutFirst) {
    const auto at = static_cast<std::size_t>(side);
    if (shares[at] <= 0 || binding[at] > 0) continue;
    throw Error(ExitCode::kInputData,
                fmt::format("split: no binding pair is left for {} once every TCR and what is "
                            "similar to it is on one side ({} rows go); add epitopes or enlarge "
                            "the fraction",
                            side_name(side), split.excluded.size()));
  }
}

}  // namespace

EpitopeSplit keep_tcrs_apart(std::span<const Record> records, std::vector<Side> sides,
                             std::uint64_t seed, std::span<const Column> columns) {
  if (records.size() != sides.size()) {
    throw Error(ExitCode::kFailure, fmt::format("keep_tcrs_apart: {} records but {} sides",
                                                records.size(), sides.size()));
  }
  const Clusters clusters = cluster_tcrs(records, columns);
  std::vector<Presence> presence(clusters.count());
  SideCounts table{};
  for (std::size_t row = 0; row < records.size(); ++row) {
    if (records[row][Column::kEpitope].empty()) continue;
    const auto side = static_cast<std::size_t>(sides[row]);
    Presence& cluster = presence[clusters.of_row[row]];
    ++cluster.rows[side];
    if (records[row].label.value_or(false)) ++cluster.binding[side];
    ++table[side];
  }
  std::vector<Side> of_cluster;
  for (std::size_t cluster = 0; cluster < presence.size(); ++cluster) {
    check_interrupt();
    of_cluster.push_back(
        side_of_cluster(presence[cluster], table, Rng(seed, "keep_tcrs_apart", cluster)));
  }
  EpitopeSplit split{std::move(sides), {}};
  for (std::size_t row = 0; row < records.size(); ++row) {
    const Side side = of_cluster[clusters.of_row[row]];
    if (records[row][Column::kEpitope].empty()) {
      split.sides[row] = side;
    } else if (split.sides[row] != side) {
      split.excluded.push_back(row);
    }
  }
  return split;
}

EpitopeSplit leave_epitope_out_split(std::span<const Record> records, SplitFractions fractions,
                                     std::uint64_t seed, std::span<const Column> columns) {
  check_fractions(fractions);
  const EpitopeGroups groups = group_epitopes(records);
  const DistinctTcrs tcrs = distinct_tcrs(records, columns);
  const auto dealt = deal_units(epitope_units(records, groups, tcrs.of_row), side_shares(fractions),
                                Rng(seed, "leave_epitope_out_split"), "groups of similar epitopes");
  std::vector<Side> sides;
  sides.reserve(records.size());
  for (const std::size_t group : groups.of_row) {
    sides.push_back(group == groups.count ? Side::kTrain : static_cast<Side>(dealt[group]));
  }
  EpitopeSplit split = keep_tcrs_apart(records, std::move(sides), seed, columns);
  require_binders(records, split, fractions);
  return split;
}

}  // namespace tcrops::data

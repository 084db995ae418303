// Splits by row and by cluster.
#include "split_balance.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace tcrops::data {

std::vector<Side> random_split(std::size_t n, SplitFractions fractions, std::uint64_t seed) {
  check_fractions(fractions);
  const auto share_of = [&](double fraction) {
    return static_cast<std::size_t>(std::floor(fraction * static_cast<double>(n)));
  };
  const std::size_t test = share_of(fractions.test);
  const std::size_t validation = share_of(fractions.validation);
  if (n == test + validation || (test == 0 && fractions.test > 0) ||
      (validation == 0 && fractions.validation > 0)) {
    throw Error(ExitCode::kInputData,
                fmt::format("split: {} rows are too few to give train, validation ({}) and test "
                            "({}) one each; add rows or enlarge the fractions",
                            n, fractions.validation, fractions.test));
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(seed, "random_split").shuffle(order);
  std::vector<Side> sides(n, Side::kTrain);
  for (std::size_t i = 0; i < test; ++i) sides[order[i]] = Side::kTest;
  for (std::size_t i = test; i < test + validation; ++i) sides[order[i]] = Side::kValidation;
  return sides;
}

std::vector<Side> clustered_split(std::span<const Record> records, SplitFractions fractions,
                                  std::uint64_t seed, std::span<const Column> columns) {
  check_fractions(fractions);
  const Clusters clusters = cluster_tcrs(records, columns);
  const DistinctTcrs tcrs = distinct_tcrs(records, columns);
  const auto dealt =
      deal_units(units_of(records, clusters.of_row, tcrs.of_row), side_shares(fractions),
                 Rng(seed, "clustered_split"), "clusters of similar TCRs");
  std::vector<Side> sides;
  sides.reserve(records.size());
  for (const std::size_t cluster : clusters.of_row) {
    sides.push_back(static_cast<Side>(dealt[cluster]));
  }
  return sides;
}

}  // namespace tcrops::data

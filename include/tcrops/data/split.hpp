#pragma once

#include <tcrops/data/record.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tcrops::data {

// The side of the split a row is on. Stored as these numbers: never renumber.
enum class Side : std::uint8_t { kTrain = 0, kValidation = 1, kTest = 2 };
[[nodiscard]] std::string_view side_name(Side side);

struct SplitFractions {
  double validation = 0.1;
  double test = 0.1;
};

// torch.randperm(n) after torch.manual_seed(seed) on the CPU (PyTorch 1.13): MT19937, swap i with
// i + random % (n - i).
[[nodiscard]] std::vector<std::int64_t> torch_randperm(std::int64_t n, std::uint64_t seed);

// torch.utils.data.random_split of n rows into train, validation, test (in this order; sizes are
// floor(fraction * n) for validation and test). By row, so the same TCR stands on several sides:
// kept only to reproduce published results.
[[nodiscard]] std::vector<Side> torch_random_split(std::size_t n, SplitFractions fractions,
                                                   std::uint64_t seed);

// Every TCR (tcr_key over `columns`) is on exactly one side. For a model that sees only some
// columns name those: what it cannot tell apart must not stand on two sides. TCRs are shuffled
// within the epitope they bind (of several the one with the fewest binders; none: a group of its
// own), then dealt so that each epitope's binders and the whole keep the fractions as nearly as
// whole TCRs allow. The order of the rows has no say. Throws Error (kConfiguration) for fractions
// that leave no train side, and (kInputData) when a side that should have TCRs would have none.
[[nodiscard]] std::vector<Side> grouped_split(std::span<const Record> records,
                                              SplitFractions fractions, std::uint64_t seed,
                                              std::span<const Column> columns = kTcrColumns);

// Number of TCRs (tcr_key over `columns`) that stand on more than one side.
[[nodiscard]] std::size_t shared_tcrs(std::span<const Record> records, std::span<const Side> sides,
                                      std::span<const Column> columns = kTcrColumns);

}  // namespace tcrops::data

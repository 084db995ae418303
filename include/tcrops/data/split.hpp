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

// Rows shuffled by seed and cut as torch_random_split cuts them. By row, so the same TCR may stand
// on several sides. Throws Error (kConfiguration) for the fractions, (kInputData) when a side that
// should have rows would have none.
[[nodiscard]] std::vector<Side> random_split(std::size_t n, SplitFractions fractions,
                                             std::uint64_t seed);

// Whole clusters of near duplicates (cluster_tcrs over `columns`) on each side, so no TCR has a
// near duplicate on another. Clusters are dealt the largest first, those of one size in an order of
// the seed, each to the side that lacks most of what it holds: TCRs, and binders of each epitope
// (epitopes with too few to share out count as one). A cluster larger than a side goes to train as
// a rule, so sides can miss their fraction. The order of the rows has no say. Throws as
// grouped_split.
[[nodiscard]] std::vector<Side> clustered_split(std::span<const Record> records,
                                                SplitFractions fractions, std::uint64_t seed,
                                                std::span<const Column> columns = kTcrColumns);

// A split by epitope, with the rows that have to go for no TCR to be on two sides.
struct EpitopeSplit {
  std::vector<Side> sides;
  std::vector<std::size_t> excluded;  // rows, ascending; what `sides` says of them is void
};

// Epitopes fewer than this many edits apart stay together, and a swapped negative keeps this
// distance from what its TCR is known to bind.
inline constexpr std::size_t kEpitopeDistance = 3;

// Whole epitopes on each side: those less than kEpitopeDistance edits apart, directly or through
// others, stay together; groups are dealt as clusters are, by their binding TCRs and their number
// of epitopes. Then TCRs are kept apart (keep_tcrs_apart). Throws as grouped_split, for groups of
// epitopes, and (kInputData) when a side is left without a binding pair.
[[nodiscard]] EpitopeSplit leave_epitope_out_split(std::span<const Record> records,
                                                   SplitFractions fractions, std::uint64_t seed,
                                                   std::span<const Column> columns = kTcrColumns);

// Takes `sides` as those of the rows' epitopes and gives each cluster of near duplicates one side:
// - the side where it has the most binding rows; of equal ones test, then validation, then train;
// - a cluster that binds nothing: one of the sides it has rows on, by chance, a side with more rows
//   of the table being likelier;
// - rows without an epitope (control TCRs) have no side of their own: they follow their cluster,
// and
//   a cluster of such rows only may come to any side that has rows.
// A row of an epitope on another side than its cluster is excluded: in a table of every TCR with
// every epitope, those are all negatives of a binder with the epitopes of other sides. What stays
// shares neither epitope nor near duplicate between sides.
[[nodiscard]] EpitopeSplit keep_tcrs_apart(std::span<const Record> records, std::vector<Side> sides,
                                           std::uint64_t seed,
                                           std::span<const Column> columns = kTcrColumns);

// The fold of each row, numbered from 0.
struct Folds {
  std::vector<std::size_t> of_row;
  std::size_t count = 0;
};

// What is never torn apart when rows are dealt to folds.
enum class FoldUnit {
  kRow,      // nothing: one TCR may stand in several folds
  kTcr,      // a TCR (tcr_key over the columns)
  kCluster,  // near duplicates, as clustered_split
  kEpitope,  // epitopes, as leave_epitope_out_split; keep_tcrs_apart is for the caller to do, since
             // which rows must go depends on the folds' sides
};

// Deals the rows into `k` equal folds as clustered_split deals clusters. Only with kRow has the
// order of the rows a say. Throws Error (kConfiguration) for k below 2, and (kInputData) for fewer
// units than folds.
[[nodiscard]] Folds assign_folds(std::span<const Record> records, std::size_t k, FoldUnit unit,
                                 std::uint64_t seed, std::span<const Column> columns = kTcrColumns);

// The folds that Record::fold gives as whole numbers, renumbered from 0 in their order. Throws
// Error (kInputData) with the row's line for one that is not a whole number, and for fewer than 2
// folds.
[[nodiscard]] Folds given_folds(std::span<const Record> records);

// Which fold tests and which one validates; all others train.
struct FoldPair {
  std::size_t test = 0;
  std::size_t validation = 1;
};
// Throws Error (kConfiguration) for a fold that is not there, for the same fold twice, and when no
// fold is left to train on.
[[nodiscard]] std::vector<Side> sides_of_folds(const Folds& folds, FoldPair pair);

// k-fold: every fold tests once, and the next one (after the last, the first) validates.
[[nodiscard]] std::vector<FoldPair> fold_pairs(std::size_t k);
// Nested k-fold: every ordered pair of two folds, by test, then validation.
[[nodiscard]] std::vector<FoldPair> nested_fold_pairs(std::size_t k);

// The sides that Record::fold gives: "train"; "validation", "valid" or "val"; "test"; in any case.
// Or fold numbers, of which `pair` says which test and validate. Throws Error (kInputData) with the
// line of a row that has neither, or words where others have numbers, and without a train row; and
// as sides_of_folds.
[[nodiscard]] std::vector<Side> given_split(std::span<const Record> records, FoldPair pair = {});

// Number of TCRs (tcr_key over `columns`) that stand on more than one side.
[[nodiscard]] std::size_t shared_tcrs(std::span<const Record> records, std::span<const Side> sides,
                                      std::span<const Column> columns = kTcrColumns);

}  // namespace tcrops::data

// Deals things that must stay whole to parts of given sizes.
#pragma once

#include <tcrops/core/rng.hpp>
#include <tcrops/data/split.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::data {

// Throws Error (kConfiguration) for fractions that are negative or leave no train side.
void check_fractions(SplitFractions fractions);

// Shares of train, validation and test, in the order of Side.
[[nodiscard]] std::vector<double> side_shares(SplitFractions fractions);

// How much a unit holds of one thing.
struct Holding {
  std::size_t kind;
  double amount;
};
// What is dealt as one. Kind 0 is its size; each kind occurs at most once.
struct Unit {
  std::vector<Holding> holdings;
};

// The units that `unit_of_row` (numbered from 0) makes of the rows. They hold TCRs, as numbered in
// `tcr_of_row`, and binders of each epitope, again counted by TCR.
[[nodiscard]] std::vector<Unit> units_of(std::span<const Record> records,
                                         std::span<const std::size_t> unit_of_row,
                                         std::span<const std::size_t> tcr_of_row);

// The part of each unit. Units go the largest first, equal ones in an order drawn from `rng`, each
// to the part where it most reduces the sum, over kinds and parts, of (held - due)^2 / due. For a
// small unit that is the part with the greatest relative need. Kinds other than 0 of which the
// smallest part is due less than one count as one kind. Every part with a share gets a unit: one
// that got none takes the smallest of the part that has most. Throws Error (kInputData) as "split:
// N <what> are too few …" when there are fewer units than parts with a share.
[[nodiscard]] std::vector<std::size_t> deal_units(std::vector<Unit> units,
                                                  std::span<const double> shares, Rng rng,
                                                  const std::string& what);

// Groups of epitopes less than kEpitopeDistance edits apart, for each row, numbered by their first
// epitope; rows without an epitope get the number `count`.
struct EpitopeGroups {
  std::vector<std::size_t> of_row;
  std::size_t count = 0;
};
[[nodiscard]] EpitopeGroups group_epitopes(std::span<const Record> records);

// What the groups hold: binding TCR-epitope pairs, and epitopes.
[[nodiscard]] std::vector<Unit> epitope_units(std::span<const Record> records,
                                              const EpitopeGroups& groups,
                                              std::span<const std::size_t> tcr_of_row);

}  // namespace tcrops::data

// Negative pairs for a table that has positives only, drawn after splitting, inside each part (side
// or fold), so that no TCR crosses parts through its negatives.
#pragma once

#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace tcrops::data {

// The part of a row that was excluded: nothing is drawn for it, but what it says is known.
inline constexpr std::size_t kNoPart = std::numeric_limits<std::size_t>::max();

// Sides as parts (0 train, 1 validation, 2 test), without the excluded rows. Folds::of_row already
// has parts.
[[nodiscard]] std::vector<std::size_t> parts_of(const std::vector<Side>& sides,
                                                std::span<const std::size_t> excluded = {});

struct NegativeOptions {
  std::size_t ratio = 5;  // negatives per positive pair
  std::uint64_t seed = 1;
};

// New pairs by part, then TCR (in the order of the keys), then epitope. Their TCR columns, clone_id
// and fold are those of a row of that TCR in that part (of several the one whose values sort
// first); label false; line 0; as many extra values as the row has, all empty.
//
// Neither MHC nor what is missing tells a negative from a positive of its epitope. The MHC is dealt
// by seed from the rows of the part that bind the epitope and lack the same of `columns`: all of
// them once, missing ones included, before any comes again. And negatives with the same of
// `columns` missing are due for each positive, see below.
struct Negatives {
  std::vector<Record> records;
  std::vector<std::size_t> parts;  // of each record
  std::size_t shortage = 0;        // pairs that were due but could not be had
  // Of the shortage, what is due to positives whose missing columns no other TCR to draw from
  // shares: no binder of another epitope, or no control TCR, of the part.
  std::size_t unmatched = 0;
};

// In what follows a TCR is what tcr_key over `columns` tells apart, a positive pair is a distinct
// binding TCR-epitope pair of a part, and a pair is *ruled out* when the table has it in any part,
// with whatever label, or when the epitope is less than kEpitopeDistance edits from one that the
// TCR or a near duplicate of it (near_duplicates over `columns`) is known to bind in any part. Near
// duplicates count directly, not through others: clusters of a large table reach from epitope to
// epitope. The order of the rows has no say.
//
// Rows with part kNoPart are part of the table in this: what was left out of training (records of
// low confidence, rows that lack a column the model needs, rows that the split excluded) can be
// handed over in this way, and its pairs are ruled out also where the TCR, or the near duplicate,
// stands in no other row. Nothing else is taken from them: no TCR, no epitope, no MHC.

// Binders of other epitopes: for each positive pair `ratio` epitopes of the same part that are not
// ruled out, no pair twice. Epitopes are drawn in proportion to their positive pairs in the part
// whose TCRs lack the same of `columns`, so that each TCR gets as many negatives per positive as
// any other (how often a TCR occurs says nothing) and each epitope about `ratio` per positive; an
// epitope that has a large part of all positives gets fewer, since there are not enough binders of
// others. Origin kSwapped. Throws Error (kFailure) when `parts` is not as long as `records`.
[[nodiscard]] Negatives swapped_negatives(std::span<const Record> records,
                                          std::span<const std::size_t> parts,
                                          NegativeOptions options,
                                          std::span<const Column> columns = kTcrColumns);

// Control TCRs, which are the records without epitope whose TCR binds nothing in the table, in the
// part that the split gave them: each epitope gets `ratio` per positive pair of the part, none
// twice, of controls that lack the same of `columns` as the pair's TCR: controls without alpha
// chains are no negatives of a model that reads both chains and sees positives with both. Among
// those the controls that were used least go first, in an order drawn by seed, so that they are
// used equally often but for what is ruled out. Origin kBackground. Throws as above.
[[nodiscard]] Negatives background_negatives(std::span<const Record> records,
                                             std::span<const std::size_t> parts,
                                             NegativeOptions options,
                                             std::span<const Column> columns = kTcrColumns);

}  // namespace tcrops::data

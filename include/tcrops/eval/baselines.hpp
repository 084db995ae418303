#pragma once

#include <tcrops/data/record.hpp>

#include <span>
#include <vector>

namespace tcrops::eval {

// Scores any model must beat to be worth anything, one per test record.

// Always "no": every score 0.
[[nodiscard]] std::vector<double> always_no_scores(std::size_t rows);

// 1-nearest-neighbour look-up: the largest similarity to a training TCR that binds the record's
// epitope; 0 when none does. Similarity is the mean over both chains of the cosine between counts
// of 3-letter words of the CDR3 (a chain that is missing on either side counts 0).
[[nodiscard]] std::vector<double> nearest_neighbour_scores(std::span<const data::Record> train,
                                                           std::span<const data::Record> test);

}  // namespace tcrops::eval

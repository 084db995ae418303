#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::eval {

// Rows whose features are there or not, by number.
struct BinaryRows {
  std::vector<std::vector<std::uint32_t>> features;
  std::vector<std::uint8_t> labels;
  std::size_t width = 0;  // every feature is below it
};

// The regression's weight of each feature, then the intercept: width + 1 numbers.
using LogisticWeights = std::vector<double>;

// Minimises w.w / 2 + the sum over rows of c log(1 + exp(-y z)), where z = w.x + intercept, y is 1
// or -1 and c is rows / (2 * rows of the same label), by L-BFGS with 10 pairs (Nocedal & Wright,
// Numerical Optimization, 2006, algorithm 7.5) until no derivative is above 1e-5 or, for 500 steps,
// it cannot get lower. Needs a row of each label. Looks at check_interrupt().
[[nodiscard]] LogisticWeights fit_logistic(const BinaryRows& rows);

[[nodiscard]] double probability_of(const LogisticWeights& weights,
                                    std::span<const std::uint32_t> features);

}  // namespace tcrops::eval

#pragma once

#include <cstdint>
#include <string>

namespace tcrops::stages {

// What each letter adds to a row's logit: integrated gradients from nothing (zeros as features) to
// the row, of an ensemble the mean over its members.
struct ExplainOptions {
  std::string file;          // a CSV, replaced whole at the end; empty: nothing is explained
  std::int64_t rows = 1000;  // the first ones with a score, at most
  std::int64_t steps = 64;   // points on the way; more make the error smaller
};

struct ExplainResult {
  std::uint64_t rows = 0;
  // Of a row the sum of what its letters add should be its logit minus the baseline's: by how much
  // it is not, at most and on average, in units of the logit.
  double largest_error = 0.0;
  double mean_error = 0.0;
  std::uint64_t line_of_largest = 0;
};

}  // namespace tcrops::stages

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::nn {

// Row numbers in which both classes are equally likely: the same as drawing with replacement with
// weights that sum to 1/2 in each class.
class BalancedSampler {
 public:
  // labels are 0 or 1. Throws Error (kInputData) when a class has no row or a label is neither.
  explicit BalancedSampler(std::span<const std::uint8_t> labels);

  // As many row numbers as there are labels. Depends on the seed and the epoch only.
  [[nodiscard]] std::vector<std::int64_t> epoch_rows(std::uint64_t seed, std::int64_t epoch) const;

 private:
  std::vector<std::int64_t> rows_of_[2];
};

// Rows [begin, end) of an epoch.
struct BatchRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Cuts `rows` into batches of `batch_size`, at least 2 each (batch normalisation has no variance of
// one row): a last single row joins the batch before it, a batch_size below 2 counts as 2.
[[nodiscard]] std::vector<BatchRange> cut_batches(std::int64_t rows, std::int64_t batch_size);

}  // namespace tcrops::nn

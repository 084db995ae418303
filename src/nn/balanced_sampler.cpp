#include "balanced_sampler.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::nn {

BalancedSampler::BalancedSampler(std::span<const std::uint8_t> labels) {
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] > 1) {
      throw Error(ExitCode::kInputData,
                  fmt::format("training row {}: label {} is neither 0 nor 1; correct the data", row,
                              labels[row]));
    }
    rows_of_[labels[row]].push_back(static_cast<std::int64_t>(row));
  }
  for (const int label : {0, 1}) {
    if (rows_of_[label].empty()) {
      throw Error(
          ExitCode::kInputData,
          fmt::format(
              "the {} training rows hold none with label {}; training needs both classes, so "
              "add such rows or choose another split",
              labels.size(), label));
    }
  }
}

std::vector<std::int64_t> BalancedSampler::epoch_rows(std::uint64_t seed,
                                                      std::int64_t epoch) const {
  Rng rng(seed, "sampler", static_cast<std::uint64_t>(epoch));
  std::vector<std::int64_t> drawn(rows_of_[0].size() + rows_of_[1].size());
  for (std::int64_t& row : drawn) {
    const auto& rows = rows_of_[rng.below(2)];
    row = rows[rng.below(rows.size())];
  }
  return drawn;
}

std::vector<BatchRange> cut_batches(std::int64_t rows, std::int64_t batch_size) {
  const std::int64_t size = std::max<std::int64_t>(batch_size, 2);
  std::vector<BatchRange> batches;
  for (std::int64_t begin = 0; begin < rows; begin += size) {
    const std::int64_t end = rows - begin < size ? rows : begin + size;
    if (end - begin == 1 && !batches.empty()) {
      batches.back().end = end;
      break;
    }
    batches.push_back({begin, end});
    if (end == rows) break;
  }
  return batches;
}

}  // namespace tcrops::nn

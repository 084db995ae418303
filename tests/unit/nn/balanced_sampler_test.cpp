#include "balanced_sampler.hpp"

#include "catch_all.hpp"

#include <algorithm>
#include <cmath>
#include <error_code.hpp>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

std::vector<std::uint8_t> labels_with(std::size_t rows, std::size_t every) {
  std::vector<std::uint8_t> labels(rows);
  for (std::size_t i = 0; i < rows; i += every) labels[i] = 1;
  return labels;
}

}  // namespace

TEST_CASE("both classes are drawn equally often, and all rows of a class") {
  const auto labels = labels_with(20000, 14);
  const auto rows = BalancedSampler(labels).epoch_rows(7, 1);
  REQUIRE(rows.size() == labels.size());
  std::vector<double> drawn(labels.size());
  double positives = 0;
  for (const std::int64_t row : rows) {
    const auto i = static_cast<std::size_t>(row);
    drawn[i] += 1;
    positives += labels[i];
  }
  // Binomial(20000, 1/2) has a standard deviation of 71.
  CHECK(std::abs(positives - 10000) < 5 * 71);
  // 1429 positives share about 10000 draws: 7 each, so none should stand out.
  double chi_square = 0;
  double seen = 0;
  for (std::size_t i = 0; i < labels.size(); i += 14) {
    const double expected = positives / 1429;
    chi_square += (drawn[i] - expected) * (drawn[i] - expected) / expected;
    seen += drawn[i] > 0 ? 1 : 0;
  }
  CHECK(std::abs(chi_square - 1428) < 5 * std::sqrt(2 * 1428.0));
  CHECK(seen > 1420);
}

TEST_CASE("the drawn rows depend on seed and epoch only") {
  const BalancedSampler sampler(labels_with(100, 3));
  CHECK(sampler.epoch_rows(1, 1) == BalancedSampler(labels_with(100, 3)).epoch_rows(1, 1));
  CHECK(sampler.epoch_rows(1, 1) != sampler.epoch_rows(1, 2));
  CHECK(sampler.epoch_rows(1, 1) != sampler.epoch_rows(2, 1));
}

TEST_CASE("unusable labels are refused") {
  CHECK(error_code([] {
          BalancedSampler(std::vector<std::uint8_t>{1, 1});
        }) == ExitCode::kInputData);
  CHECK(error_code([] {
          BalancedSampler(std::vector<std::uint8_t>{0, 0});
        }) == ExitCode::kInputData);
  CHECK(error_code([] { BalancedSampler(std::vector<std::uint8_t>{}); }) == ExitCode::kInputData);
  CHECK(error_code([] {
          BalancedSampler(std::vector<std::uint8_t>{0, 1, 2});
        }) == ExitCode::kInputData);
}

TEST_CASE("batches cover all rows with at least two each") {
  for (const std::int64_t rows : {2, 3, 4, 5, 9, 10, 2048, 2049, 2050, 7146}) {
    for (const std::int64_t size : {0, 1, 2, 3, 4, 2048}) {
      std::int64_t reached = 0;
      for (const BatchRange& batch : cut_batches(rows, size)) {
        CHECK(batch.begin == reached);
        CHECK(batch.end - batch.begin >= 2);
        CHECK(batch.end - batch.begin <= std::max<std::int64_t>(size, 2) + 1);
        reached = batch.end;
      }
      CHECK(reached == rows);
    }
  }
  CHECK(cut_batches(2049, 2048).size() == 1);
  CHECK(cut_batches(2050, 2048).size() == 2);
  CHECK(cut_batches(10, std::numeric_limits<std::int64_t>::max()).size() == 1);
  CHECK(cut_batches(0, 2048).empty());
}

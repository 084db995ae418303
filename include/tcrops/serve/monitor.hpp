#pragma once

#include <tcrops/core/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace tcrops::serve {

inline constexpr std::size_t kScoreBins = 10;

// How many scores are in 0 to 0.1, …, 0.9 to 1.
using ScoreBins = std::array<std::int64_t, kScoreBins>;
[[nodiscard]] std::size_t score_bin(double score);

// Durations by their magnitude: eight bins to a doubling, from 10 µs to 10 minutes.
[[nodiscard]] int duration_bin(double seconds);

// Sums over requests.
struct QuerySums {
  std::int64_t requests = 0;
  std::int64_t errors = 0;  // answered with a status of 400 or more
  std::int64_t rows = 0;
  std::int64_t rejected = 0;
  std::int64_t unseen = 0;
  std::int64_t far = 0;
  ScoreBins scores{};
  std::map<int, std::int64_t> durations{};  // by bin

  void add(const QuerySums& other);
  // The duration that `share` of the requests did not exceed, within 5 %; none without requests.
  [[nodiscard]] std::optional<double> quantile(double share) const;
};

struct Monitor {
  struct Bucket {
    double time = 0.0;  // it begins, seconds since 1970
    QuerySums sums;
  };
  double from = 0.0;
  double to = 0.0;
  std::int64_t bucket_seconds = 60;
  std::vector<Bucket> buckets;  // without a gap, at most 96
  QuerySums totals;
};

// The buckets of a span of time, empty: their size is the smallest round one that gives at most 96,
// and they begin at its multiples. The last one holds `now`.
[[nodiscard]] Monitor empty_monitor(double now, double hours);

[[nodiscard]] Json to_json(const Monitor& monitor);

}  // namespace tcrops::serve

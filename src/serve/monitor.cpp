#include <tcrops/serve/monitor.hpp>

#include <algorithm>
#include <cmath>

namespace tcrops::serve {
namespace {

constexpr double kShortest = 1e-5;  // seconds
constexpr double kBinsPerDoubling = 8.0;
constexpr int kLastBin = 208;  // 26 doublings: 671 seconds

constexpr std::int64_t kMostBuckets = 96;
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86'400;
constexpr std::array kBucketSizes = {kMinute,   5 * kMinute, 15 * kMinute, 30 * kMinute, kHour,
                                     2 * kHour, 3 * kHour,   6 * kHour,    12 * kHour,   kDay,
                                     2 * kDay,  7 * kDay,    14 * kDay,    28 * kDay,    56 * kDay};

// Where a bin begins.
double bin_begin(double bin) { return kShortest * std::exp2(bin / kBinsPerDoubling); }

Json sums_json(const QuerySums& sums) {
  const auto seconds = [&](double share) {
    const auto value = sums.quantile(share);
    return value ? Json(*value) : Json();
  };
  return {{"requests", sums.requests},   {"errors", sums.errors},        {"rows", sums.rows},
          {"rejected", sums.rejected},   {"unseen", sums.unseen},        {"far", sums.far},
          {"p50_seconds", seconds(0.5)}, {"p99_seconds", seconds(0.99)}, {"scores", sums.scores}};
}

}  // namespace

std::size_t score_bin(double score) {
  const double place = score * static_cast<double>(kScoreBins);
  return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kScoreBins - 1)));
}

int duration_bin(double seconds) {
  if (!(seconds > kShortest)) return 0;
  const double place = std::floor(kBinsPerDoubling * std::log2(seconds / kShortest));
  return static_cast<int>(std::min(place, static_cast<double>(kLastBin)));
}

void QuerySums::add(const QuerySums& other) {
  requests += other.requests;
  errors += other.errors;
  rows += other.rows;
  rejected += other.rejected;
  unseen += other.unseen;
  far += other.far;
  for (std::size_t i = 0; i < kScoreBins; ++i) scores[i] += other.scores[i];
  for (const auto& [bin, count] : other.durations) durations[bin] += count;
}

std::optional<double> QuerySums::quantile(double share) const {
  std::int64_t all = 0;
  for (const auto& [bin, count] : durations) all += count;
  if (all == 0) return std::nullopt;
  const double wanted = share * static_cast<double>(all);
  double below = 0.0;
  for (const auto& [bin, count] : durations) {
    const auto here = static_cast<double>(count);
    if (below + here >= wanted || bin == durations.rbegin()->first)
      return bin_begin(bin + std::clamp((wanted - below) / here, 0.0, 1.0));
    below += here;
  }
  return std::nullopt;
}

Monitor empty_monitor(double now, double hours) {
  const double span = hours * static_cast<double>(kHour);
  Monitor monitor;
  monitor.bucket_seconds = *std::find_if(
      kBucketSizes.begin(), kBucketSizes.end() - 1,
      [&](std::int64_t size) { return static_cast<double>(size * kMostBuckets) >= span; });
  const auto size = static_cast<double>(monitor.bucket_seconds);
  const auto count = static_cast<int>(std::max(1.0, std::ceil(span / size)));
  monitor.to = (std::floor(now / size) + 1.0) * size;
  monitor.from = monitor.to - count * size;
  for (int i = 0; i < count; ++i) monitor.buckets.push_back({monitor.from + i * size, {}});
  return monitor;
}

Json to_json(const Monitor& monitor) {
  Json buckets = Json::array();
  for (const Monitor::Bucket& bucket : monitor.buckets) {
    Json json = sums_json(bucket.sums);
    json["time"] = bucket.time;
    buckets.push_back(std::move(json));
  }
  return {{"schema", "tcrops.monitor/1"},
          {"from", monitor.from},
          {"to", monitor.to},
          {"bucket_seconds", monitor.bucket_seconds},
          {"buckets", std::move(buckets)},
          {"totals", sums_json(monitor.totals)}};
}

}  // namespace tcrops::serve

#include <tcrops/serve/monitor.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace tcrops::serve;

namespace {

QuerySums lasting(double seconds, std::int64_t times) {
  QuerySums sums;
  sums.requests = times;
  sums.durations[duration_bin(seconds)] = times;
  return sums;
}

}  // namespace

TEST_CASE("a score has a bin, the outermost ones included") {
  CHECK(score_bin(0.0) == 0);
  CHECK(score_bin(0.0999) == 0);
  CHECK(score_bin(0.1) == 1);
  CHECK(score_bin(0.95) == 9);
  CHECK(score_bin(1.0) == 9);
  CHECK(score_bin(-3.0) == 0);
  CHECK(score_bin(7.0) == 9);
}

TEST_CASE("quantiles of durations are right within 5 percent") {
  for (const double seconds : {2e-5, 0.0004, 0.003, 0.07, 1.3, 42.0, 600.0}) {
    const auto found = lasting(seconds, 1000).quantile(0.5);
    REQUIRE(found);
    CHECK(std::abs(*found - seconds) < 0.05 * seconds);
  }
  QuerySums mixed = lasting(0.001, 98);
  mixed.add(lasting(0.5, 2));
  CHECK(mixed.requests == 100);
  CHECK(std::abs(*mixed.quantile(0.5) - 0.001) < 0.00005);
  CHECK(std::abs(*mixed.quantile(0.99) - 0.5) < 0.025);
  CHECK_FALSE(QuerySums().quantile(0.5));
}

TEST_CASE("durations beyond the bins are in the outermost ones") {
  CHECK(duration_bin(0.0) == 0);
  CHECK(duration_bin(-1.0) == 0);
  CHECK(duration_bin(std::nan("")) == 0);
  CHECK(duration_bin(1e9) == duration_bin(1e12));
  CHECK(duration_bin(600.0) < duration_bin(1e9));
}

TEST_CASE("a monitor has at most 96 buckets of a round size, the last one now") {
  const double now = 1'800'000'123.4;
  const std::vector<std::pair<double, int>> sizes = {{0.05, 60},
                                                     {1.0, 60},
                                                     {1.6, 60},
                                                     {1.7, 300},
                                                     {24.0, 900},
                                                     {48.0, 1800},
                                                     {24.0 * 180, 172'800},
                                                     {87'840.0, 56 * 86'400}};
  for (const auto& [hours, size] : sizes) {
    const Monitor monitor = empty_monitor(now, hours);
    CAPTURE(hours);
    CHECK(monitor.bucket_seconds == size);
    CHECK(monitor.buckets.size() <= 96);
    CHECK(monitor.to - monitor.from >= hours * 3600.0);
    CHECK(monitor.to > now);
    CHECK(monitor.buckets.back().time <= now);
    CHECK(std::fmod(monitor.from, size) == 0.0);
    for (std::size_t i = 1; i < monitor.buckets.size(); ++i)
      CHECK(monitor.buckets[i].time - monitor.buckets[i - 1].time == size);
  }
  CHECK(empty_monitor(now, 24.0).buckets.size() == 96);
}

TEST_CASE("a monitor as JSON has null for what no request says") {
  Monitor monitor = empty_monitor(1000.0, 1.0);
  monitor.buckets.front().sums = lasting(0.01, 3);
  const tcrops::Json json = to_json(monitor);
  CHECK(json.at("schema") == "tcrops.monitor/1");
  CHECK(json.at("buckets").size() == 60);
  CHECK(json.at("buckets").at(0).at("requests") == 3);
  CHECK(json.at("buckets").at(0).at("p50_seconds").is_number());
  CHECK(json.at("buckets").at(1).at("p50_seconds").is_null());
  CHECK(json.at("buckets").at(1).at("scores").size() == 10);
  CHECK(json.at("totals").at("requests") == 0);
}

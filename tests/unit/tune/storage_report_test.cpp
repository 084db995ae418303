// What a storage keeps of the reports of running trials.
#include "studies.hpp"

#include <catch_all.hpp>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

using namespace test;

TEST_CASE("a report is kept once, with its decision and what that rests on") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, with_median(3, 1));
    const Claim zero = claim(storage, "0");
    for (const std::int64_t step : {0, 1}) {
      const auto decision = storage.report(zero, {step, 0.5});
      REQUIRE(decision.has_value());
      CHECK_FALSE(decision->prune);
    }
    CHECK(storage.finish(zero, kWorker, result(0.5)));
    const Claim one = claim(storage, "1");
    const auto bad = storage.report(one, {1, 0.25});
    REQUIRE(bad.has_value());
    CHECK(bad->prune);
    CHECK(bad->rule == "median");
    CHECK(bad->own == std::optional<double>(0.25));
    CHECK(bad->threshold == std::optional<double>(0.5));
    CHECK(bad->compared == 1);
    CHECK(bad->step == std::optional<std::int64_t>(1));
    // Told again, with whatever value.
    const auto again = storage.report(one, {1, 0.75});
    REQUIRE(again.has_value());
    CHECK(to_json(*again) == to_json(*bad));

    const TrialRecord record = records_at(place)[1];
    REQUIRE(record.trial.reports.size() == 1);
    CHECK(record.trial.reports[0].step == 1);
    CHECK(record.trial.reports[0].value == 0.25);
    REQUIRE(record.trial.decisions.size() == 1);
    CHECK(to_json(record.trial.decisions[0]) == to_json(*bad));
    CHECK(record.trial.decision.has_value());
    CHECK(record.told.size() == 1);
    CHECK(record.step == 1);
  });
}

TEST_CASE("a second attempt meets the decisions of the first") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, with_median(3, 0));
    const Claim zero = claim(storage, "0");
    static_cast<void>(storage.report(zero, {0, 0.5}));
    const Claim one = claim(storage, "1", kExpired);
    const auto first = storage.report(one, {0, 0.25});
    REQUIRE(first.has_value());
    CHECK_FALSE(first->prune);  // no trial is complete
    CHECK(storage.finish(zero, kWorker, result(0.5)));
    const Claim second = claim(storage, "2");
    CHECK(second.number == 1);
    const auto again = storage.report(second, {0, 0.25});
    REQUIRE(again.has_value());
    CHECK(to_json(*again) == to_json(*first));
    const auto next = storage.report(second, {1, 0.25});
    REQUIRE(next.has_value());
    CHECK(records_at(place)[1].trial.reports.size() == 2);
  });
}

TEST_CASE("who has lost the lease reports nothing, not even what was told before") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, with_median(2, 0));
    const Claim lost = claim(storage, "a", kExpired);
    CHECK(storage.report(lost, {0, 0.5}).has_value());
    const Claim taken = claim(storage, "b");
    CHECK(taken.number == lost.number);
    CHECK_FALSE(storage.report(lost, {1, 0.5}).has_value());
    CHECK_FALSE(storage.report(lost, {0, 0.5}).has_value());
    CHECK(records_at(place)[0].trial.reports.size() == 1);
  });
}

TEST_CASE("without a pruner nothing is reported") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(1, 0));
    CHECK_FALSE(storage.has_pruner());
    CHECK_FALSE(storage.report(claim(storage, "a"), {0, 0.5}).has_value());
    CHECK(records_at(place)[0].trial.reports.empty());
  });
}

TEST_CASE("a report that is no finite number is kept as none") {
  everywhere([](const db::Address& place) {
    using Limits = std::numeric_limits<double>;
    StudyStorage storage = connect(place, with_median(1, 0));
    const Claim held = claim(storage, "a");
    std::int64_t step = 0;
    for (const double value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
      CHECK(storage.report(held, {step++, value}).has_value());
    }
    const auto reports = records_at(place)[0].trial.reports;
    REQUIRE(reports.size() == 3);
    for (const Report& each : reports) CHECK(std::isnan(each.value));
  });
}

}  // namespace
}  // namespace tcrops::tune

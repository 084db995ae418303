#include <tcrops/core/error.hpp>
#include <tcrops/tune/pruner.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <set>

// Cases computed by hand; tests/interop/pruner_parity.py compares with Optuna.

namespace tcrops::tune {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

// Reports at steps 1, 2, ...
ReportedTrial trial_of(std::int64_t number, TrialState state, const std::vector<double>& values) {
  ReportedTrial trial{number, state, {}};
  for (const double value : values) trial.reports.push_back({std::ssize(trial.reports) + 1, value});
  return trial;
}

ReportedTrial complete(std::int64_t number, const std::vector<double>& values) {
  return trial_of(number, TrialState::kComplete, values);
}
ReportedTrial running(std::int64_t number, const std::vector<double>& values) {
  return trial_of(number, TrialState::kRunning, values);
}

const std::vector<ReportedTrial> kFive = {complete(0, {1.0, 10.0}), complete(1, {2.0, 20.0}),
                                          complete(2, {3.0, 30.0}), complete(3, {4.0, 40.0}),
                                          complete(4, {5.0})};

TEST_CASE("median: the best so far against the completed trials at the step") {
  const Pruner median = PercentilePruner{};
  const Decision first = judge(median, 0, kFive, running(5, {2.9}));
  CHECK(first.prune);
  CHECK(first.rule == "median");
  CHECK(first.step == 1);
  CHECK(first.own == 2.9);
  CHECK(first.threshold == 3.0);
  CHECK(first.compared == 5);
  CHECK_FALSE(judge(median, 0, kFive, running(5, {3.0})).prune);
  // At step 2 four have a value: the median is 25, between two of them.
  const Decision second = judge(median, 0, kFive, running(5, {24.0, 1.0}));
  CHECK(second.prune);
  CHECK(second.own == 24.0);
  CHECK(second.threshold == 25.0);
  CHECK(second.compared == 4);
  CHECK_FALSE(judge(median, 0, kFive, running(5, {26.0, 1.0})).prune);
  const Decision third = judge(median, 0, kFive, running(5, {0.0, 0.0, 0.0}));
  CHECK_FALSE(third.prune);
  CHECK(third.compared == 0);
  CHECK_FALSE(third.threshold);
}

TEST_CASE("percentile: the best share goes on") {
  const Pruner quarter = PercentilePruner{.percentile = 25.0};
  const Decision decision = judge(quarter, 0, kFive, running(5, {3.9}));
  CHECK(decision.prune);
  CHECK(decision.rule == "percentile");
  CHECK(decision.threshold == 4.0);  // the 75th of 1 2 3 4 5
  const Decision between = judge(PercentilePruner{.percentile = 10.0}, 0, kFive, running(5, {4.5}));
  CHECK(*between.threshold == Approx(4.6));
  CHECK(judge(PercentilePruner{.percentile = 0.0}, 0, kFive, running(5, {4.9})).prune);
  CHECK_FALSE(judge(PercentilePruner{.percentile = 100.0}, 0, kFive, running(5, {1.0})).prune);
}

TEST_CASE("median: start, warm-up, intervals and how many are needed") {
  const auto stops = [](const PercentilePruner& pruner, const ReportedTrial& trial) {
    return judge(pruner, 0, kFive, trial).prune;
  };
  const ReportedTrial bad = running(5, {0.0});
  CHECK(stops({}, bad));
  CHECK_FALSE(stops({.startup_trials = 6}, bad));
  CHECK_FALSE(stops({.warmup_steps = 2}, bad));
  CHECK(stops({.warmup_steps = 2}, running(5, {0.0, 0.0})));
  // Intervals of two from step 0: steps 2 and 4 are first ones, 3 is not.
  CHECK(stops({.interval_steps = 2}, running(5, {0.0, 0.0})));
  const std::vector<ReportedTrial> longer(6, complete(9, {1.0, 1.0, 1.0}));
  CHECK_FALSE(judge(PercentilePruner{.interval_steps = 2}, 0, longer, running(5, {0, 0, 0})).prune);
  CHECK(judge(PercentilePruner{}, 0, longer, running(5, {0, 0, 0})).prune);
  CHECK_FALSE(stops({.least_trials = 5}, running(5, {0.0, 0.0})));
  CHECK(stops({.least_trials = 4}, running(5, {0.0, 0.0})));
  // Only completed trials count, the trial itself never.
  std::vector<ReportedTrial> others = kFive;
  others[0].state = TrialState::kPruned;
  CHECK_FALSE(judge(PercentilePruner{}, 0, others, bad).prune);
  others = kFive;
  CHECK_FALSE(judge(PercentilePruner{}, 0, others, running(4, {0.0})).prune);
  CHECK_FALSE(judge(PercentilePruner{.startup_trials = 0}, 0, {}, bad).prune);
  CHECK_FALSE(judge(PercentilePruner{}, 0, kFive, running(5, {})).prune);
}

TEST_CASE("median: what is not a number") {
  CHECK(judge(PercentilePruner{}, 0, kFive, running(5, {kNan})).prune);
  CHECK(judge(PercentilePruner{}, 0, kFive, running(5, {kNan, 26.0})).own == 26.0);
  std::vector<ReportedTrial> others = kFive;
  others[4].reports[0].value = kNan;
  const Decision decision = judge(PercentilePruner{}, 0, others, running(5, {2.4}));
  CHECK(decision.threshold == 2.5);
  CHECK(decision.compared == 4);
  for (ReportedTrial& each : others) each.reports[0].value = kNan;
  CHECK_FALSE(judge(PercentilePruner{}, 0, others, running(5, {2.4})).prune);
}

TEST_CASE("asha: the best n / factor at a rung go on, at least one") {
  const Pruner asha = AshaPruner{.min_resource = 1, .reduction_factor = 2};
  std::vector<ReportedTrial> others = {running(0, {5.0})};
  Decision decision = judge(asha, 0, others, running(1, {4.0}));
  CHECK(decision.prune);
  CHECK(decision.rule == "asha");
  CHECK(decision.rung == 0);
  CHECK(decision.own == 4.0);
  CHECK(decision.threshold == 5.0);
  CHECK(decision.compared == 2);
  CHECK_FALSE(judge(asha, 0, others, running(1, {5.0})).prune);  // as good will do
  CHECK_FALSE(judge(asha, 0, {}, running(0, {-9.0})).prune);
  others = {running(0, {5.0}), running(1, {4.0}), running(2, {3.0})};
  // Four values, the best two go on.
  CHECK_FALSE(judge(asha, 0, others, running(3, {4.5})).prune);
  CHECK(judge(asha, 0, others, running(3, {3.5})).prune);
  // Five values, the best two.
  others.push_back(running(4, {2.0}));
  CHECK(judge(asha, 0, others, running(3, {3.9})).prune);
}

TEST_CASE("asha: rungs lie at 1, 4, 16 and count the value on arrival") {
  const Pruner asha = AshaPruner{.min_resource = 1, .reduction_factor = 4};
  const std::vector<ReportedTrial> others = {running(0, {1.0, 1.0, 1.0, 7.0, 9.0}),
                                             running(1, {2.0, 2.0})};
  for (const std::size_t steps : {2U, 3U, 5U}) {
    const Decision decision = judge(asha, 0, others, running(2, std::vector<double>(steps, 0.0)));
    CHECK_FALSE(decision.prune);
    CHECK_FALSE(decision.rung);
  }
  const Decision decision = judge(asha, 0, others, running(2, {9.0, 9.0, 9.0, 6.0}));
  CHECK(decision.prune);
  CHECK(decision.rung == 1);
  CHECK(decision.threshold == 7.0);
  CHECK(decision.compared == 2);
  const Pruner late = AshaPruner{.min_resource = 1, .early_stopping_rate = 1};
  CHECK_FALSE(judge(late, 0, others, running(2, {-9.0})).prune);
  CHECK(judge(late, 0, others, running(2, {9.0, 9.0, 9.0, 6.0})).rung == 0);
}

TEST_CASE("asha: one report past several rungs") {
  const Pruner asha = AshaPruner{.min_resource = 1, .reduction_factor = 2};
  const ReportedTrial leap{0, TrialState::kRunning, {{4, 5.0}}};
  const ReportedTrial behind{1, TrialState::kRunning, {{4, 4.0}}};
  CHECK(judge(asha, 0, {}, leap).rung == 2);
  CHECK(judge(asha, 0, std::vector{leap}, behind).rung == 0);
  // Once pruned at rung 0 it is no rival at rung 1.
  ReportedTrial gone = behind;
  gone.state = TrialState::kPruned;
  const Decision decision = judge(asha, 0, std::vector{gone}, running(2, {5.0, 1.0}));
  CHECK(decision.rung == 1);
  CHECK(decision.compared == 1);
}

TEST_CASE("asha: the first rung from the completed trials; NaN stops") {
  const Pruner asha = AshaPruner{};
  CHECK_FALSE(judge(asha, 0, {}, running(1, {kNan})).prune);
  ReportedTrial longest{0, TrialState::kComplete, {{1, 1.0}, {250, 2.0}}};
  const std::vector<ReportedTrial> others = {longest};
  CHECK_FALSE(judge(asha, 0, others, running(1, {0.0})).rung);  // at 250 / 100 = 2
  CHECK(judge(asha, 0, others, running(1, {0.0, 0.0})).rung == 0);
  CHECK(judge(asha, 0, others, running(1, {0.0, kNan})).prune);
}

TEST_CASE("hyperband: brackets") {
  const HyperbandPruner pruner;
  CHECK(hyperband_brackets(pruner, 1) == 1);
  CHECK(hyperband_brackets(pruner, 80) == 4);
  CHECK(hyperband_brackets(pruner, 81) == 5);
  CHECK(hyperband_brackets(pruner, 243) == 6);
  CHECK(hyperband_brackets({.min_resource = 3}, 81) == 4);
  // Shares with 27: ceil(4 * 27 / 4), ceil(4 * 9 / 3), ceil(4 * 3 / 2), 4 = 27, 12, 6, 4 of 49.
  std::vector<int> counts(4, 0);
  for (std::int64_t trial = 0; trial < 4900; ++trial) {
    ++counts.at(static_cast<std::size_t>(hyperband_bracket(pruner, 27, 1, trial)));
  }
  CHECK(counts[0] == Approx(2700).margin(150));
  CHECK(counts[1] == Approx(1200).margin(120));
  CHECK(counts[2] == Approx(600).margin(90));
  CHECK(counts[3] == Approx(400).margin(80));
  bool differs = false;
  for (std::int64_t trial = 0; trial < 20; ++trial) {
    CHECK(hyperband_bracket(pruner, 27, 1, trial) == hyperband_bracket(pruner, 27, 1, trial));
    differs = differs ||
              hyperband_bracket(pruner, 27, 1, trial) != hyperband_bracket(pruner, 27, 2, trial);
  }
  CHECK(differs);
}

TEST_CASE("hyperband: a trial meets those of its bracket only") {
  const HyperbandPruner pruner{.max_resource = 27};
  const Pruner hyperband = pruner;
  std::vector<ReportedTrial> others;
  std::vector<std::int64_t> sizes(4, 0);
  for (std::int64_t i = 0; i < 40; ++i) {
    others.push_back(running(i, std::vector<double>(27, 5.0)));
    ++sizes[static_cast<std::size_t>(hyperband_bracket(pruner, 27, 3, i))];
  }
  std::set<std::int64_t> met;
  for (std::int64_t i = 40; i < 80; ++i) {
    const std::int64_t bracket = hyperband_bracket(pruner, 27, 3, i);
    const auto first = static_cast<std::size_t>(std::pow(3.0, bracket));
    const Decision early = judge(hyperband, 3, others, running(i, std::vector(first, 1.0)));
    CHECK(early.bracket == bracket);
    CHECK(early.rung == 0);
    CHECK(early.compared == sizes[static_cast<std::size_t>(bracket)] + 1);
    met.insert(bracket);
  }
  CHECK(met.size() > 2);
  // Without a maximum it comes from the completed trials.
  CHECK_FALSE(judge(HyperbandPruner{}, 3, others, running(40, {0.0})).bracket);
  others.push_back(complete(90, std::vector<double>(26, 1.0)));
  CHECK(judge(HyperbandPruner{}, 3, others, running(40, {0.0})).bracket ==
        hyperband_bracket(pruner, 27, 3, 40));
}

TEST_CASE("a decision is stored with its evidence") {
  const Json json = to_json(judge(PercentilePruner{}, 0, kFive, running(5, {2.0})));
  CHECK(json["prune"] == true);
  CHECK(json["threshold"] == 3.0);
  CHECK(json["own"] == 2.0);
  CHECK(json["compared"] == 5);
  CHECK(json["rung"].is_null());
  CHECK_NOTHROW(canonical_json(json));
}

TEST_CASE("wrong options of pruners are refused") {
  const auto refused = [](const Pruner& pruner) {
    CHECK_THROWS_AS(judge(pruner, 0, {}, running(0, {1.0})), Error);
  };
  refused(PercentilePruner{.percentile = 101.0});
  refused(PercentilePruner{.startup_trials = -1});
  refused(PercentilePruner{.interval_steps = 0});
  refused(PercentilePruner{.least_trials = 0});
  refused(AshaPruner{.reduction_factor = 1});
  refused(AshaPruner{.min_resource = -1});
  refused(HyperbandPruner{.min_resource = 0});
  refused(HyperbandPruner{.min_resource = 5, .max_resource = 4});
}

}  // namespace
}  // namespace tcrops::tune

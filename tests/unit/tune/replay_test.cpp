// A study that is repeated, and one that is taken over, is the same.
#include "studies.hpp"

#include <catch_all.hpp>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

using namespace test;

StudyOptions with(const Pruner& pruner, std::int64_t trials, std::int64_t window) {
  StudyOptions options = options_of(trials, window);
  options.pruner = pruner;
  return options;
}

StudyOptions median_of(std::int64_t trials, std::int64_t window) {
  return with(PercentilePruner{50.0, 2, 1, 1, 1}, trials, window);
}

// Works with so many threads; the records that stay.
std::vector<TrialRecord> worked(const db::Address& place, const StudyOptions& options,
                                std::int64_t jobs, const Objective& objective = climb) {
  WorkerHooks hooks;
  hooks.connect = [&] { return connect(place, options); };
  hooks.work = [&](Running& running) { return train(running, objective); };
  static_cast<void>(work_on_study({kWorker, jobs, kTerms}, hooks));
  return records_at(place);
}

std::vector<ReplayProblem> problems(const StudyOptions& options,
                                    const std::vector<TrialRecord>& records,
                                    const Objective& objective = climb) {
  return replay(study_space(), options, records, {objective, {}});
}

TEST_CASE("without a window a study can be repeated from what each trial had seen") {
  everywhere([](const db::Address& place) {
    for (const Pruner& pruner : {Pruner(PercentilePruner{50.0, 2, 1, 1, 1}),
                                 Pruner(AshaPruner{1, 2, 0}), Pruner(HyperbandPruner{1, 0, 2})}) {
      clear(place);
      const StudyOptions options = with(pruner, 24, 0);
      const auto records = worked(place, options, 4);
      REQUIRE(records.size() == 24);
      std::int64_t done = 0;
      const auto found = replay(study_space(), options, records,
                                {climb, [&](std::int64_t count) { CHECK(count == ++done); }});
      for (const ReplayProblem& each : found) UNSCOPED_INFO(each.number << ": " << each.problem);
      CHECK(found.empty());
      CHECK(done == 24);
    }
  });
}

TEST_CASE("a repetition finds what was changed") {
  const Places places;
  const db::Address place = places.all().front();
  for (const std::int64_t window : {0, 2}) {
    clear(place);
    const StudyOptions options = median_of(20, window);
    const auto records = worked(place, options, 2);
    REQUIRE(problems(options, records).empty());
    // One that went to the end, and one that was pruned.
    const auto whole = std::find_if(records.begin() + 2, records.end(), [](const auto& record) {
      return record.trial.state == TrialState::kComplete;
    });
    const auto cut = std::find_if(records.begin(), records.end(), [](const auto& record) {
      return record.trial.state == TrialState::kPruned;
    });
    REQUIRE(whole != records.end());
    REQUIRE(cut != records.end());
    const auto place_of = [&](const auto& at) {
      return static_cast<std::size_t>(at - records.begin());
    };
    const auto changed = [&](std::size_t at, const char* problem, const auto& change) {
      INFO(problem);
      auto other = records;
      change(other[at].trial);
      const auto found = problems(options, other);
      CHECK(std::any_of(found.begin(), found.end(), [&](const ReplayProblem& each) {
        return each.number == static_cast<std::int64_t>(at) &&
               each.problem.find(problem) != std::string::npos;
      }));
    };
    changed(place_of(whole), "the point was", [](Trial& t) { t.point["x"] = 0.125; });
    changed(place_of(whole), "the result was",
            [](Trial& t) { t.value = std::nextafter(t.value, 9.0); });
    changed(place_of(whole), "the result was", [](Trial& t) { t.acceptable = false; });
    changed(place_of(whole), "the result was", [](Trial& t) { ++t.weights; });
    changed(place_of(whole), "of its details differ",
            [](Trial& t) { t.details["steps"][2] = 0.5; });
    changed(place_of(whole), "report 4 is another",
            [](Trial& t) { t.reports[3].value = std::nextafter(t.reports[3].value, 9.0); });
    changed(place_of(whole), "report 6 is another", [](Trial& t) { t.reports.pop_back(); });
    changed(place_of(cut), "the pruner decided",
            [](Trial& t) { t.decisions.back().prune = false; });
    changed(place_of(cut), "the pruner decided",
            [](Trial& t) { t.decisions.back().threshold = 77.0; });
    changed(place_of(cut), "the pruner decided", [](Trial& t) { t.decisions.pop_back(); });
    // Another past shows in what was made of it.
    auto other = records;
    for (std::size_t i = 0; i < 10; ++i) other[i].trial.value *= -1.0;
    const auto found = problems(options, other);
    CHECK(std::any_of(found.begin(), found.end(), [](const auto& each) {
      return each.number >= 10 && each.problem.find("the point was") != std::string::npos;
    }));
  }
}

TEST_CASE("what has not ended is left out, what failed is not trained again") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(4, 0);
    StudyStorage storage = connect(place, options);
    for (const std::int64_t attempt : {1, 2, 3}) {
      CHECK(claim(storage, fresh_token(), kExpired).attempt == attempt);
    }
    const Claim running = claim(storage, "a");
    const Claim ended = claim(storage, "b");
    CHECK(running.number == 1);
    CHECK(
        storage.finish(ended, kWorker, climb(2, ended.point, [](const Report&) { return false; })));
    std::vector<std::int64_t> trained;
    const Objective objective = [&](std::int64_t number, const Point& point,
                                    const Reporter& report) {
      trained.push_back(number);
      return climb(number, point, report);
    };
    CHECK(problems(options, records_at(place), objective).empty());
    CHECK(trained == std::vector<std::int64_t>{2});
    CHECK(problems(options, records_at(place), nullptr).empty());
  });
}

TEST_CASE("what is no number is the same when it comes again") {
  everywhere([](const db::Address& place) {
    using Limits = std::numeric_limits<double>;
    const Objective objective = [](std::int64_t number, const Point& point,
                                   const Reporter& report) {
      Trial trial = climb(number, point, [](const Report&) { return false; });
      const double odd = number % 2 == 0 ? -Limits::quiet_NaN() : -Limits::infinity();
      trial.details["odd"] = odd;
      for (const double value : {-30.0, odd}) {
        if (report({value == odd || std::isnan(value) ? 1 : 0, value})) return trial;
      }
      if (number % 3 == 0) trial.value = odd;
      return trial;
    };
    for (const std::int64_t window : {0, 2}) {
      clear(place);
      const StudyOptions options = median_of(8, window);
      const auto records = worked(place, options, 2, objective);
      const auto found = problems(options, records, objective);
      for (const ReplayProblem& each : found) UNSCOPED_INFO(each.number << ": " << each.problem);
      CHECK(found.empty());
      if (window == 0) continue;
      const auto same = summary(run_study(study_space(), options, objective));
      for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(summary({records[i].trial})[0][2] == same[i][2]);
        CHECK(summary({records[i].trial})[0][4] == same[i][4]);
      }
    }
  });
}

TEST_CASE("a study taken over is the same study, and goes on") {
  everywhere([](const db::Address& place) {
    for (const Pruner& pruner : {Pruner(PercentilePruner{50.0, 2, 1, 1, 1}),
                                 Pruner(AshaPruner{0, 2, 0}), Pruner(HyperbandPruner{1, 0, 2})}) {
      for (const std::int64_t window : {0, 2}) {
        clear(place);
        StudyOptions options = with(pruner, 10, window);
        const auto records = worked(place, options, 2);
        clear(place);
        options.trials = 14;
        StudyStorage storage = connect(place, options);
        CHECK(storage.take_over(records) == 10);
        CHECK(storage.take_over(records) == 0);
        CHECK(storage.ended() == 10);
        CHECK(summary(trials_of(records_at(place))) == summary(trials_of(records)));
        const auto longer = worked(place, options, 2);
        REQUIRE(longer.size() == 14);
        const auto found = problems(options, longer);
        for (const ReplayProblem& each : found) UNSCOPED_INFO(each.number << ": " << each.problem);
        CHECK(found.empty());
        if (window > 0) {
          CHECK(summary(trials_of(longer)) == summary(run_study(study_space(), options, climb)));
        }
      }
    }
  });
}

TEST_CASE("who has looked before a study was taken over knows what came with it") {
  everywhere([](const db::Address& place) {
    StudyOptions options = median_of(8, 2);
    const auto records = worked(place, options, 1);
    clear(place);
    options.trials = 9;
    StudyStorage early = connect(place, options);
    for (int i = 0; i < 20; ++i) early.refresh();
    CHECK(connect(place, options).take_over(records) == 8);
    const Claim next = claim(early, "a");
    CHECK(next.number == 8);
    CHECK(next.point == run_study(study_space(), options, climb).back().point);
    CHECK(early.ended() == 8);
  });
}

TEST_CASE("of a study with gaps the first trials are taken over") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = median_of(8, 2);
    auto records = worked(place, options, 1);
    records[5].phase = Phase::kRunning;
    clear(place);
    StudyStorage storage = connect(place, options);
    CHECK(storage.take_over({}) == 0);
    CHECK(storage.take_over({records.begin() + 1, records.end()}) == 0);
    CHECK(storage.take_over(records) == 5);
    CHECK(records_at(place).size() == 5);
  });
}

TEST_CASE("without a window no decision is taken over without what it rests on") {
  everywhere([](const db::Address& place) {
    StudyOptions options = median_of(4, 0);
    options.pruner = AshaPruner{1, 2, 0};
    StudyStorage storage = connect(place, options);
    const Claim zero = claim(storage, "0");
    const Claim one = claim(storage, "1");
    const Claim two = claim(storage, "2");
    const auto tell = [&](const Claim& each, std::int64_t step, double value) {
      const auto decision = storage.report(each, {step, value});
      REQUIRE(decision.has_value());
      return *decision;
    };
    Trial trial;
    static_cast<void>(tell(zero, 1, 0.5));
    trial.value = 0.5;
    CHECK(storage.finish(zero, kWorker, trial));
    CHECK_FALSE(tell(two, 1, 0.75).prune);
    // Pruned for what trial 2 had, which still runs.
    const Decision decision = tell(one, 1, 0.625);
    CHECK(decision.prune);
    trial = settled({}, 1, one.point, {{1, 0.625}}, decision);
    CHECK(storage.finish(one, kWorker, trial));
    const auto records = records_at(place);
    CHECK(problems(options, records, nullptr).empty());
    clear(place);
    StudyStorage other = connect(place, options);
    CHECK(other.take_over(records) == 1);
    CHECK(problems(options, records_at(place), nullptr).empty());
  });
}

}  // namespace
}  // namespace tcrops::tune

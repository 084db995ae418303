// Threads and processes that work on a study together.
#include "studies.hpp"

#include <atomic>
#include <catch_all.hpp>
#include <chrono>
#include <thread>

namespace tcrops::tune {
namespace {

using namespace test;
using std::chrono::milliseconds;

TEST_CASE("workers give the trials of run_study, whatever their number") {
  everywhere([](const db::Address& place) {
    for (const SamplerKind sampler : {SamplerKind::kRandom, SamplerKind::kTpe}) {
      for (const std::optional<Pruner>& pruner : pruners()) {
        for (const std::int64_t window : {1, 2, 4}) {
          StudyOptions options = options_of(14, window);
          options.sampler = sampler;
          options.pruner = pruner;
          const Json expected = summary(run_study(study_space(), options, climb));
          for (const std::int64_t jobs : {1, 2, 4}) {
            const bool is_halving = pruner && pruner->index() > 0;
            if (jobs != 4 && (is_halving || sampler == SamplerKind::kRandom)) continue;
            CAPTURE(pruner ? pruner->index() : 9, window, jobs);
            clear(place);
            const auto hooks = hooks_for(place, options, [](Running& running) {
              // Neighbours take different times, so trials end out of order.
              std::this_thread::sleep_for(milliseconds(running.claim().number * 7919 % 3));
              return train(running, climb);
            });
            CHECK(work_on_study({kWorker, jobs, kTerms}, hooks) == 14);
            CHECK(summary(trials_of(records_at(place))) == expected);
          }
        }
      }
    }
  });
}

TEST_CASE("up to window trials run at once, and no more") {
  everywhere([](const db::Address& place) {
    for (const std::int64_t window : {1, 2, 3}) {
      clear(place);
      const StudyOptions options = options_of(9, window);
      std::atomic<int> running{0};
      std::atomic<int> most{0};
      const auto hooks = hooks_for(place, options, [&](Running& each) {
        const int now = ++running;
        int seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::sleep_for(milliseconds(40));
        --running;
        return train(each, climb);
      });
      CHECK(work_on_study({kWorker, 4, kTerms}, hooks) == 9);
      CHECK(most.load() <= window);
      if (window > 1) CHECK(most.load() > 1);
    }
  });
}

TEST_CASE("two workers share a study, and a third finds nothing to do") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(20, 3);
    options.pruner = pruners()[1];
    const auto hooks = climbing(place, options);
    std::int64_t others = 0;
    std::int64_t own = 0;
    {
      const std::jthread other([&] { others = work_on_study({kOther, 2, kTerms}, hooks); });
      own = work_on_study({kWorker, 1, kTerms}, hooks);
    }
    CHECK(own + others == 20);
    CHECK(work_on_study({kWorker, 2, kTerms}, hooks) == 0);
    CHECK(summary(trials_of(records_at(place))) ==
          summary(run_study(study_space(), options, climb)));
    for (const Attempt& each : attempts_at(place)) CHECK(each.how == "finished");
  });
}

TEST_CASE("a study can be read while others work on it") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(30, 0);
    options.sampler = SamplerKind::kRandom;
    options.pruner = PercentilePruner{50.0, 1000, 0, 1, 1};
    static_cast<void>(connect(place, options));
    const auto hooks = climbing(place, options);
    std::atomic<bool> done{false};
    const std::jthread worker([&] {
      static_cast<void>(work_on_study({kWorker, 3, kTerms}, hooks));
      done = true;
    });
    db::Database database = db::Database::open(place);
    while (!done) {
      for (const TrialRecord& record : read_records(database, kStudy, study_space())) {
        CHECK(record.trial.reports.size() == record.trial.decisions.size());
        // Of one moment: the last step and the last report are kept together.
        if (!record.trial.reports.empty()) CHECK(record.step == record.trial.reports.back().step);
        if (record.phase == Phase::kEnded) CHECK(record.trial.reports.size() == kSteps);
        if (record.phase == Phase::kEnded) CHECK(record.trial.details.at("steps").size() == kSteps);
      }
    }
    CHECK(records_at(place).size() == 30);
  });
}

TEST_CASE("progress is told of every trial that this process has ended") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(8, 2);
    StudyStorage storage = connect(place, options);
    const Claim other = claim(storage, "a");
    CHECK(storage.finish(other, kOther, result(1.0)));
    std::vector<std::int64_t> numbers;
    auto hooks = climbing(place, options);
    hooks.progress = [&](const StudyStorage& each, const Trial& trial) {
      CHECK(each.trials() == 8);
      numbers.push_back(trial.number);
    };
    CHECK(work_on_study({kWorker, 2, kTerms}, hooks) == 7);
    std::sort(numbers.begin(), numbers.end());
    CHECK(numbers == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7});
  });
}

TEST_CASE("tokens are 32 digits and never twice") {
  CHECK(fresh_token().size() == 32);
  CHECK(fresh_token() != fresh_token());
}

}  // namespace
}  // namespace tcrops::tune

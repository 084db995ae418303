// What ends a trial or a worker before its time.
#include "studies.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <algorithm>
#include <atomic>
#include <catch_all.hpp>
#include <child_process.hpp>
#include <chrono>
#include <csignal>
#include <list>
#include <new>
#include <stdexcept>
#include <thread>

namespace tcrops::tune {
namespace {

using tcrops::test::ChildProcess;
using namespace test;
using std::chrono::milliseconds;

// How the attempts at a trial ended, in their order.
std::vector<std::string> ends_of(const db::Address& place, std::int64_t number) {
  std::vector<std::string> how;
  for (const Attempt& each : attempts_at(place)) {
    if (each.number == number) how.push_back(each.how);
  }
  return how;
}
using Ends = std::vector<std::string>;

TEST_CASE("an exception ends the worker, and the trial is given back") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(6, 1);
    const auto failing = [&](auto failure) {
      return hooks_for(place, options, [failure](Running& running) {
        if (running.claim().number == 2) throw failure;
        return train(running, climb);
      });
    };
    CHECK_THROWS_WITH(
        work_on_study({kWorker, 2, kTerms}, failing(std::runtime_error("trial 2 broke"))),
        "trial 2 broke");
    CHECK(records_at(place)[2].phase == Phase::kWaiting);
    CHECK(records_at(place)[2].attempt == 1);
    CHECK_THROWS_WITH(work_on_study({kWorker, 1, kTerms},
                                    failing(Error(ExitCode::kTemporary, "the disk is full"))),
                      "the disk is full");
    CHECK(records_at(place)[2].attempt == 1);
    CHECK(work_on_study({kWorker, 2, kTerms}, climbing(place, options)) == 4);
    CHECK(summary(trials_of(records_at(place))) ==
          summary(run_study(study_space(), options, climb)));
    // The other thread may have had it for a moment before it saw that all is over.
    const Ends ends = ends_of(place, 2);
    CHECK(std::count(ends.begin(), ends.end(), "failed") == 1);
    CHECK(std::count(ends.begin(), ends.end(), "released") >= 1);
    CHECK(std::count(ends.begin(), ends.end(), "finished") == 1);
  });
}

TEST_CASE("the first exception is thrown; the others' trials are kept or charged on their own") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(9, 3);
    std::atomic<int> begun{0};
    std::atomic<bool> thrown{false};
    const auto hooks = hooks_for(place, options, [&](Running& running) {
      ++begun;
      while (begun < 3) std::this_thread::yield();
      if (running.claim().number == 0) {
        thrown = true;
        throw std::runtime_error("trial 0 broke");
      }
      while (!thrown) std::this_thread::yield();
      std::this_thread::sleep_for(milliseconds(100));
      if (running.claim().number == 1) throw Error(ExitCode::kTemporary, "later");
      return train(running, climb);
    });
    CHECK_THROWS_WITH(work_on_study({kWorker, 3, kTerms}, hooks), "trial 0 broke");
    CHECK(begun == 3);
    const auto records = records_at(place);
    REQUIRE(records.size() == 3);
    CHECK(records[0].attempt == 1);
    CHECK(records[1].attempt == 0);
    CHECK(records[2].phase == Phase::kEnded);
    CHECK(ends_of(place, 0) == Ends{"failed"});
    CHECK(ends_of(place, 1) == Ends{"released"});
  });
}

TEST_CASE("exceptions of the other hooks come out too") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(5, 2);
    auto hooks = climbing(place, options);
    hooks.progress = [](const StudyStorage&, const Trial&) { throw std::runtime_error("no pipe"); };
    CHECK_THROWS_WITH(work_on_study({kWorker, 1, kTerms}, hooks), "no pipe");
    CHECK(records_at(place)[0].phase == Phase::kEnded);
    std::atomic<int> connections{0};
    hooks = climbing(place, options);
    hooks.connect = [&] {
      if (++connections == 2) throw Error(ExitCode::kConfiguration, "no such database");
      return connect(place, options);
    };
    CHECK_THROWS_WITH(work_on_study({kWorker, 2, kTerms}, hooks), "no such database");
  });
}

TEST_CASE("a trial that runs out of memory is tried again, and fails in the end") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(5, 2);
    std::atomic<int> tries{0};
    const auto hooks = hooks_for(place, options, [&](Running& running) {
      if (running.claim().number == 1 && running.claim().attempt == 1) throw std::bad_alloc();
      if (running.claim().number == 3) {
        ++tries;
        throw std::bad_alloc();
      }
      return train(running, climb);
    });
    CHECK(work_on_study({kWorker, 2, kTerms}, hooks) == 4);
    CHECK(tries == kTerms.attempts);
    CHECK(ends_of(place, 1) == Ends{"failed", "finished"});
    CHECK(ends_of(place, 3) == Ends{"failed", "failed", "failed"});
    const auto records = records_at(place);
    REQUIRE(records.size() == 5);
    CHECK(records[3].trial.state == TrialState::kFailed);
    const Json expected = summary(run_study(study_space(), options, climb));
    CHECK(summary({records[1].trial})[0] == expected[1]);
  });
}

// Takes a running trial from its worker, as if that had been silent for too long.
Claim steal(const db::Address& place, const StudyOptions& options, std::int64_t number) {
  StudyStorage thief = connect(place, options);
  thief.database().execute("update tcrops_trial set lease_until = 0.0 where number = :p1",
                           {number});
  for (;;) {
    auto [free, taken] = thief.claim(kOther, fresh_token(), kTerms);
    if (taken && taken->number == number) return std::move(*taken);
    if (taken) thief.release(*taken, false);
  }
}

TEST_CASE("a lost lease ends the trial here, and the study is still whole") {
  everywhere([](const db::Address& place) {
    for (const bool with_pruner : {false, true}) {
      CAPTURE(with_pruner);
      clear(place);
      StudyOptions options = options_of(6, 1);
      if (with_pruner) options.pruner = pruners()[1];
      std::atomic<bool> noticed{false};
      const auto hooks = hooks_for(place, options, [&](Running& running) {
        if (running.claim().number != 2 || running.claim().attempt > 1) {
          return train(running, climb);
        }
        StudyStorage thief = connect(place, options);
        const Claim stolen = steal(place, options, 2);
        thief.release(stolen, true);
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        try {
          for (std::int64_t step = 0; std::chrono::steady_clock::now() < until; ++step) {
            if (with_pruner) CHECK_FALSE(running.report({step, 0.0}));
            running.reached(step);
            std::this_thread::sleep_for(milliseconds(5));
          }
        } catch (...) {
          noticed = true;
          throw;
        }
        return Trial();
      });
      // The renewal of leases is what notices it without reports.
      CHECK(work_on_study({kWorker, 1, {2.0, 9}}, hooks) == 6);
      CHECK(noticed);
      const auto late = late_results_at(place);
      REQUIRE(late.size() == 1);
      CHECK(late[0].number == 2);
      CHECK(late[0].outcome.at("reason").get<std::string>().find("the lease was lost at step") ==
            0);
      CHECK(summary(trials_of(records_at(place))) ==
            summary(run_study(study_space(), options, climb)));
      CHECK(ends_of(place, 2) == Ends{"lost", "failed", "finished"});
    }
  });
}

TEST_CASE("a result that comes after the lease was lost does not count") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(3, 1);
    const auto hooks = hooks_for(place, options, [&](Running& running) {
      if (running.claim().number == 1 && running.claim().attempt == 1) {
        StudyStorage thief = connect(place, options);
        thief.release(steal(place, options, 1), false);
        return result(99.0);
      }
      return train(running, climb);
    });
    CHECK(work_on_study({kWorker, 1, kTerms}, hooks) == 3);
    CHECK(summary(trials_of(records_at(place))) ==
          summary(run_study(study_space(), options, climb)));
    const auto late = late_results_at(place);
    REQUIRE(late.size() == 1);
    CHECK(late[0].outcome.at("value") == 99.0);
  });
}

TEST_CASE("leases are kept alive while trials run") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(2, 2);
    StudyStorage watcher = connect(place, options);
    const auto hooks = hooks_for(place, options, [&](Running& running) {
      running.reached(5);
      std::this_thread::sleep_for(milliseconds(3500));
      return train(running, climb);
    });
    std::atomic<bool> done{false};
    const std::jthread worker([&] {
      static_cast<void>(work_on_study({kWorker, 2, {2.0, 9}}, hooks));
      done = true;
    });
    while (!done) {
      const auto [free, stolen] = watcher.claim(kOther, "thief", kTerms);
      if (stolen && stolen->attempt == 1) watcher.release(*stolen, false);  // was first
      if (stolen) CHECK(stolen->attempt == 1);
      std::this_thread::sleep_for(milliseconds(100));
    }
    for (const Attempt& each : attempts_at(place)) CHECK(each.how != "lost");
  });
}

TEST_CASE("reports that cannot be told are told later, and the training goes on") {
  const Places places;
  const db::Address place = places.all().front();  // a server would let the writer wait
  StudyOptions options = options_of(12, 1);
  options.pruner = pruners()[1];
  const Json expected = summary(run_study(study_space(), options, climb));
  std::atomic<int> cut{0};
  WorkerHooks hooks;
  hooks.connect = [&] {
    return StudyStorage(db::Database::open(place, {30.0, 0.05}), kStudy, "a study",
                        {{"seed", options.seed}}, study_space(), options);
  };
  hooks.work = [&](Running& running) {
    const Claim& own = running.claim();
    db::Database busy = db::Database::open(place);
    bool ended = false;
    const Trial whole = climb(own.number, own.point, [&](const Report& report) {
      if (report.step != 1) {
        ended = ended || running.report(report);
        return false;
      }
      busy.transaction([&] {
        busy.execute("update tcrops_study set events = events");
        const auto began = std::chrono::steady_clock::now();
        CHECK_FALSE(running.report(report));
        CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
      });
      return false;
    });
    const std::optional<std::int64_t> step = running.settle();
    if (!step) return whole;
    ++cut;
    return climb(own.number, own.point, [&](const Report& report) { return report.step >= *step; });
  };
  CHECK(work_on_study({kWorker, 1, kTerms}, hooks) == 12);
  CHECK(cut > 0);
  CHECK(summary(trials_of(records_at(place))) == expected);
}

TEST_CASE("a signal gives the running trials back, which costs no attempt") {
  everywhere([](const db::Address& place) {
    const StudyOptions options = options_of(6, 2);
    ChildProcess child([&] {
      install_interrupt_handlers();
      const auto hooks = hooks_for(place, options, [](Running& running) {
        if (running.claim().number == 3) static_cast<void>(std::raise(SIGINT));
        for (int i = 0; i < 200 && running.claim().number >= 2; ++i) {
          check_interrupt();
          std::this_thread::sleep_for(milliseconds(20));
        }
        return train(running, climb);
      });
      static_cast<void>(work_on_study({kWorker, 2, kTerms}, hooks));
      return 0;
    });
    CHECK(child.wait() == static_cast<int>(ExitCode::kInterrupted));
    const auto records = records_at(place);
    REQUIRE(records.size() == 4);
    for (const std::size_t i : {2U, 3U}) {
      CHECK(records[i].phase == Phase::kWaiting);
      CHECK(records[i].attempt == 0);
    }
    CHECK(work_on_study({kOther, 1, kTerms}, climbing(place, options)) == 4);
    CHECK(summary(trials_of(records_at(place))) ==
          summary(run_study(study_space(), options, climb)));
  });
}

TEST_CASE("processes that are killed lose nothing but time") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(30, 3);
    options.pruner = pruners()[1];
    static_cast<void>(connect(place, options));
    const auto worker = [&] {
      return ChildProcess([&] {
        const auto hooks = hooks_for(place, options, [](Running& running) {
          return train(running,
                       [](std::int64_t number, const Point& point, const Reporter& report) {
                         return climb(number, point, [&](const Report& each) {
                           std::this_thread::sleep_for(milliseconds(15));
                           return report(each);
                         });
                       });
        });
        static_cast<void>(work_on_study({kWorker, 1, {1.0, 1000}}, hooks));
        return 0;
      });
    };
    std::list<ChildProcess> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(worker());
    for (std::size_t i = 0; i < 12; ++i) {
      std::this_thread::sleep_for(milliseconds(60 + i * 37 % 90));
      workers.front().kill_now();
      workers.pop_front();
      workers.push_back(worker());
    }
    for (ChildProcess& each : workers) CHECK(each.wait() == 0);
    CHECK(summary(trials_of(records_at(place))) ==
          summary(run_study(study_space(), options, climb)));
    std::vector<int> finished(30, 0);
    int lost = 0;
    for (const Attempt& each : attempts_at(place)) {
      if (each.how == "finished") ++finished[static_cast<std::size_t>(each.number)];
      if (each.how == "lost") ++lost;
    }
    CHECK(finished == std::vector<int>(30, 1));
    CHECK(lost > 0);
  });
}

}  // namespace
}  // namespace tcrops::tune

#include <tcrops/core/error.hpp>
#include <tcrops/tune/study.hpp>

#include <atomic>
#include <catch_all.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace tcrops::tune {
namespace {

const Space kSpace = {{"x", FloatRange{-5.0, 5.0, false}},
                      {"n", IntegerRange{1, 4}},
                      {"model", Choice{{"small", "large"}}}};

Trial judge(std::int64_t number, const Point& point) {
  Trial trial;
  trial.number = number;
  trial.point = point;
  const double x = std::get<double>(point.at("x"));
  const auto n = std::get<std::int64_t>(point.at("n"));
  trial.value = -(x - 1.0) * (x - 1.0) - static_cast<double>(n);
  trial.weights = std::get<std::string>(point.at("model")) == "small" ? 10 : 1000;
  trial.details = {{"x", x}};
  return trial;
}

StudyOptions options_for(std::int64_t trials, std::int64_t window, std::int64_t jobs) {
  StudyOptions options;
  options.trials = trials;
  options.window = window;
  options.jobs = jobs;
  options.seed = 11;
  return options;
}

Json summary(const std::vector<Trial>& trials) {
  Json json = Json::array();
  for (const Trial& trial : trials) {
    json.push_back({trial.number, to_json(trial.point), trial.value, trial.acceptable, trial.reason,
                    trial.weights, trial.details});
  }
  return json;
}

// Keeps trials as stages would, in memory.
struct Shelf {
  std::map<std::int64_t, Trial> kept;
  int recalled = 0;

  [[nodiscard]] StudyHooks hooks(std::function<Trial(std::int64_t, const Point&)> run) {
    StudyHooks result;
    result.run = std::move(run);
    result.keep = [this](const Trial& trial) { kept[trial.number] = trial; };
    result.recall = [this](std::int64_t number, const Point& point, Trial& trial) {
      const auto found = kept.find(number);
      if (found == kept.end() || found->second.point != point) return false;
      trial = found->second;
      ++recalled;
      return true;
    };
    return result;
  }
};

TEST_CASE("a study gives the same trials with 1, 2 and 4 jobs") {
  for (const std::int64_t window : {1, 2, 4}) {
    StudyHooks hooks;
    hooks.run = judge;
    const Json expected = summary(run_study(kSpace, options_for(30, window, 1), hooks));
    hooks.run = [](std::int64_t number, const Point& point) {
      // Neighbours take very different times, so trials finish out of order.
      std::this_thread::sleep_for(std::chrono::microseconds((number * 7919) % 5 * 400));
      return judge(number, point);
    };
    for (const std::int64_t jobs : {2, 4}) {
      CHECK(summary(run_study(kSpace, options_for(30, window, jobs), hooks)) == expected);
    }
  }
}

TEST_CASE("up to window trials run at once, and no more") {
  for (const std::int64_t window : {1, 2, 3}) {
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    StudyHooks hooks;
    hooks.run = [&](std::int64_t number, const Point& point) {
      const int now = ++running;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      --running;
      return judge(number, point);
    };
    static_cast<void>(run_study(kSpace, options_for(12, window, 4), hooks));
    CHECK(most.load() <= window);
    if (window > 1) CHECK(most.load() > 1);
  }
}

TEST_CASE("trial n knows the trials up to n - window and the places of the rest") {
  StudyHooks hooks;
  hooks.run = judge;
  const StudyOptions options = options_for(25, 3, 1);
  const std::vector<Trial> trials = run_study(kSpace, options, hooks);
  REQUIRE(trials.size() == 25);
  std::vector<Observation> seen;
  for (std::int64_t n = 0; n < 25; ++n) {
    for (Observation& each : seen) each.finished = each.number <= n - 3;
    const Trial& trial = trials[static_cast<std::size_t>(n)];
    CHECK(trial.number == n);
    CHECK(trial.point == suggest(SamplerKind::kTpe, kSpace, 11, n, seen));
    seen.push_back({n, trial.point, false, true, trial.value});
  }
}

TEST_CASE("an interrupted study continues with the same trials") {
  StudyHooks plain;
  plain.run = judge;
  const Json expected = summary(run_study(kSpace, options_for(30, 2, 1), plain));
  for (const std::int64_t jobs : {1, 2}) {
    for (const std::int64_t stop : {0, 1, 9, 17, 29}) {
      Shelf shelf;
      CHECK_THROWS_AS(run_study(kSpace, options_for(30, 2, jobs),
                                shelf.hooks([&](std::int64_t number, const Point& point) {
                                  if (number == stop) {
                                    throw Error(ExitCode::kInterrupted, "interrupted");
                                  }
                                  return judge(number, point);
                                })),
                      Error);
      const auto kept = static_cast<int>(shelf.kept.size());
      CHECK(kept >= stop);
      int runs = 0;
      std::mutex mutex;
      const auto trials = run_study(kSpace, options_for(30, 2, jobs),
                                    shelf.hooks([&](std::int64_t number, const Point& point) {
                                      const std::lock_guard lock(mutex);
                                      ++runs;
                                      return judge(number, point);
                                    }));
      CHECK(summary(trials) == expected);
      CHECK(shelf.recalled == kept);
      CHECK(runs == 30 - kept);
    }
  }
}

TEST_CASE("more trials continue a finished study") {
  Shelf shelf;
  static_cast<void>(run_study(kSpace, options_for(15, 2, 1), shelf.hooks(judge)));
  const Json longer = summary(run_study(kSpace, options_for(25, 2, 1), shelf.hooks(judge)));
  CHECK(shelf.recalled == 15);
  StudyHooks plain;
  plain.run = judge;
  CHECK(longer == summary(run_study(kSpace, options_for(25, 2, 1), plain)));
}

TEST_CASE("an exception ends the study after the running trials were kept") {
  Shelf shelf;
  std::atomic<bool> thrown{false};
  const auto run = [&](std::int64_t number, const Point& point) {
    if (number == 4) {
      thrown = true;
      throw std::runtime_error("trial 4 broke");
    }
    while (number == 5 && !thrown) std::this_thread::yield();
    if (number == 5) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return judge(number, point);
  };
  // Trial 5 must not run before trial 4 has failed, and has to be kept if it was running.
  std::atomic<bool> started{false};
  const auto hooks = shelf.hooks([&](std::int64_t number, const Point& point) {
    if (number == 5) started = true;
    while (number == 4 && !started) std::this_thread::yield();
    return run(number, point);
  });
  CHECK_THROWS_WITH(run_study(kSpace, options_for(20, 2, 2), hooks), "trial 4 broke");
  CHECK(shelf.kept.size() == 5);
  CHECK(shelf.kept.count(5) == 1);
  CHECK(shelf.kept.count(4) == 0);
}

TEST_CASE("exceptions of the other hooks come out too") {
  StudyHooks hooks;
  hooks.run = judge;
  hooks.keep = [](const Trial& trial) {
    if (trial.number == 3) throw Error(ExitCode::kTemporary, "disk full");
  };
  CHECK_THROWS_WITH(run_study(kSpace, options_for(9, 2, 2), hooks), "disk full");
  hooks.keep = nullptr;
  hooks.recall = [](std::int64_t number, const Point&, Trial&) -> bool {
    if (number == 2) throw Error(ExitCode::kArtifact, "torn");
    return false;
  };
  CHECK_THROWS_WITH(run_study(kSpace, options_for(9, 2, 2), hooks), "torn");
}

// Results of an earlier version: the same study gives the same trials for as long as it is stored.
TEST_CASE("the default preset proposes what it has always proposed") {
  const Space space = {{"rate", FloatRange{0.001, 0.1, true}},
                       {"width", FloatRange{-2.0, 3.0}},
                       {"epochs", IntegerRange{5, 25}},
                       {"one", IntegerRange{3, 3}},
                       {"model", Choice{{"small", "medium", "large"}}}};
  const auto value_of = [](const Point& point) {
    const double rate = std::log10(std::get<double>(point.at("rate"))) + 2.0;
    const double width = std::get<double>(point.at("width")) - 1.0;
    const auto epochs = static_cast<double>(std::get<std::int64_t>(point.at("epochs")) - 12) / 8.0;
    return -(rate * rate + width * width + epochs * epochs) -
           (point.at("model") == Value("medium") ? 0.0 : 0.5);
  };
  StudyHooks hooks;
  hooks.run = [&](std::int64_t number, const Point& point) {
    Trial trial;
    trial.value = value_of(point);
    trial.acceptable = number % 17 != 3;
    return trial;
  };
  const auto check = [&](const Point& point, double rate, double width, std::int64_t epochs,
                         const char* model) {
    CHECK(std::get<double>(point.at("rate")) == Approx(rate).epsilon(1e-9));
    CHECK(std::get<double>(point.at("width")) == Approx(width).epsilon(1e-9));
    CHECK(point.at("epochs") == Value(epochs));
    CHECK(point.at("model") == Value(model));
  };
  StudyOptions options = options_for(120, 1, 1);
  options.seed = 1;
  std::vector<Trial> trials = run_study(space, options, hooks);
  check(trials[59].point, 0.010047561536164599, 1.0551358684855496, 14, "small");
  check(trials[119].point, 0.01057404986301867, 0.8820209413843495, 10, "medium");
  options.seed = 2;
  options.window = 3;
  trials = run_study(space, options, hooks);
  check(trials[59].point, 0.007774776071044442, 0.8799796459279795, 11, "medium");
  check(trials[119].point, 0.010161172663050215, 1.017115651715306, 12, "medium");
}

TEST_CASE("progress counts every trial, the recalled ones included") {
  Shelf shelf;
  static_cast<void>(run_study(kSpace, options_for(4, 2, 1), shelf.hooks(judge)));
  StudyHooks hooks = shelf.hooks(judge);
  std::vector<std::int64_t> counts;
  hooks.progress = [&](const Trial&, std::int64_t done) { counts.push_back(done); };
  static_cast<void>(run_study(kSpace, options_for(6, 2, 2), hooks));
  CHECK(counts == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a value that is not finite is not acceptable and can be written") {
  StudyHooks hooks;
  hooks.run = [](std::int64_t number, const Point& point) {
    Trial trial = judge(number, point);
    if (number == 1) trial.value = std::numeric_limits<double>::quiet_NaN();
    if (number == 2) trial.value = std::numeric_limits<double>::infinity();
    return trial;
  };
  const std::vector<Trial> trials = run_study(kSpace, options_for(15, 2, 1), hooks);
  for (const std::size_t i : {1U, 2U}) {
    CHECK_FALSE(trials[i].acceptable);
    CHECK(trials[i].value == 0.0);
    CHECK(trials[i].reason.find("not a finite number") != std::string::npos);
  }
  CHECK(trials[0].acceptable);
  CHECK_NOTHROW(canonical_json(summary(trials)));
  for (const std::int64_t number : best_trials(trials, 15)) CHECK((number != 1 && number != 2));
}

TEST_CASE("nonsense options are refused, an empty study is empty") {
  StudyHooks hooks;
  hooks.run = judge;
  CHECK(run_study(kSpace, options_for(0, 2, 1), hooks).empty());
  CHECK_THROWS_AS(run_study(kSpace, options_for(-1, 2, 1), hooks), Error);
  CHECK_THROWS_AS(run_study(kSpace, options_for(5, 0, 1), hooks), Error);
  CHECK_THROWS_AS(run_study(kSpace, options_for(5, 2, 0), hooks), Error);
  CHECK_THROWS_AS(run_study({{"x", Choice{}}}, options_for(5, 2, 1), hooks), Error);
}

Trial trial_of(std::int64_t number, double value, std::int64_t weights, double x) {
  Trial trial;
  trial.number = number;
  trial.value = value;
  trial.weights = weights;
  trial.point = {{"x", x}};
  return trial;
}

TEST_CASE("best_trials: value, then fewer weights, then number, no point twice") {
  std::vector<Trial> trials = {trial_of(0, 1.0, 100, 0.0),       trial_of(1, 2.0, 100, 0.1),
                               trial_of(2, 2.0, 10, 0.2),        trial_of(3, 2.0, 100, 0.3),
                               trial_of(4, 9.0, 1, 0.4),         trial_of(5, 2.0, 5, 0.2),
                               trial_of(6, std::nan(""), 1, 0.6)};
  trials[4].acceptable = false;
  using Numbers = std::vector<std::int64_t>;
  CHECK(best_trials(trials, 3) == Numbers{5, 1, 3});
  CHECK(best_trials(trials, 1) == Numbers{5});
  CHECK(best_trials(trials, 99) == Numbers{5, 1, 3, 0});
  CHECK(best_trials(trials, 0).empty());
  CHECK(best_trials({}, 3).empty());
}

}  // namespace
}  // namespace tcrops::tune

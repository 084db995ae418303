// A worker on a study whose trials are cheap, for study_test.py.
// Usage: study_probe ADDRESS work NAME TRIALS WINDOW JOBS LEASE PAUSE
//          works until the study has ended; PAUSE: milliseconds of each of a trial's steps
//        study_probe ADDRESS check TRIALS WINDOW
//          prints what the study has come to, repeats it and prints what is different
// Exit statuses are those of the program.
#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/tune/replay.hpp>
#include <tcrops/tune/worker.hpp>

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tcrops::tune;
using tcrops::Json;

constexpr std::int64_t kSteps = 8;
const std::string kStudy = "probe";

Space space() {
  return {{"x", FloatRange{-5.0, 5.0}},
          {"rate", FloatRange{1e-4, 1.0, true}},
          {"kind", Choice{{"a", "b", "c"}}}};
}

Trial climb(std::int64_t number, const Point& point, const Reporter& report) {
  const double x = std::get<double>(point.at("x")) - 1.0;
  const double rate = std::log10(std::get<double>(point.at("rate"))) + 2.0;
  const double goal = -x * x - rate * rate - (std::get<std::string>(point.at("kind")) != "b");
  Trial trial;
  trial.details = {{"steps", 0}};
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const auto left = static_cast<double>(kSteps - 1 - step);
    trial.value = goal - 0.1 * left * static_cast<double>(1 + number % 3);
    trial.details["steps"] = step + 1;
    if (report({step, trial.value})) break;
  }
  return trial;
}

StudyOptions options_of(std::int64_t trials, std::int64_t window) {
  StudyOptions options;
  options.trials = trials;
  options.window = window;
  options.seed = 5;
  options.pruner = PercentilePruner{50.0, 5, 1, 1, 1};
  return options;
}

tcrops::db::Database open(const std::string& url) {
  tcrops::db::OpenOptions options;
  options.patience_seconds = 60.0;
  return tcrops::db::Database::open(tcrops::db::address(url), options);
}

void work(const std::vector<std::string>& words) {
  const StudyOptions options = options_of(std::stoll(words.at(3)), std::stoll(words.at(4)));
  const std::chrono::milliseconds pause(std::stoll(words.at(7)));
  WorkerHooks hooks;
  hooks.connect = [&] {
    return StudyStorage(open(words.at(0)), kStudy, "probe", Json::object(), space(), options);
  };
  hooks.work = [&](Running& running) {
    const Claim& own = running.claim();
    Trial trial = climb(own.number, own.point, [&](const Report& report) {
      tcrops::check_interrupt();
      std::this_thread::sleep_for(pause);
      running.reached(report.step);
      return running.report(report);
    });
    const std::optional<std::int64_t> end = running.settle();
    if (!end) return trial;
    // What came after the step at which it was pruned does not count.
    return climb(own.number, own.point, [&](const Report& each) { return each.step >= *end; });
  };
  const StudyStorage::Terms terms{std::stod(words.at(6)), 1000};
  const std::int64_t ended =
      work_on_study({{words.at(2), ""}, std::stoll(words.at(5)), terms}, hooks);
  std::cout << ended << std::endl;
}

void check(const std::vector<std::string>& words) {
  tcrops::db::Database database = open(words.at(0));
  const StudyOptions options = options_of(std::stoll(words.at(2)), std::stoll(words.at(3)));
  const std::vector<TrialRecord> records = read_records(database, kStudy, space());
  Json out = {{"ended", 0},
              {"pruned", 0},
              {"finished", Json::array()},
              {"lost", 0},
              {"problems", Json::array()},
              {"best", nullptr},
              {"again", nullptr},
              {"late", read_late_results(database, kStudy).size()}};
  std::vector<Trial> trials;
  std::vector<Trial> again;
  for (const TrialRecord& record : records) {
    const Trial& trial = record.trial;
    if (record.phase == Phase::kEnded) out["ended"] = out["ended"].get<int>() + 1;
    if (trial.state == TrialState::kPruned) out["pruned"] = out["pruned"].get<int>() + 1;
    trials.push_back(trial);
    again.push_back(climb(trial.number, trial.point, [](const Report&) { return false; }));
    again.back().number = trial.number;
    again.back().state = trial.state;
  }
  for (const Attempt& each : read_attempts(database, kStudy)) {
    if (each.how == "finished") out["finished"].push_back(each.number);
    if (each.how == "lost") out["lost"] = out["lost"].get<int>() + 1;
  }
  for (const ReplayProblem& each : replay(space(), options, records, {climb, {}})) {
    out["problems"].push_back({each.number, each.problem});
  }
  const auto value_of_best = [](const std::vector<Trial>& all) {
    return all.at(static_cast<std::size_t>(best_trials(all, 1).at(0))).value;
  };
  out["best"] = value_of_best(trials);
  out["again"] = value_of_best(again);
  if (options.window > 0) {
    const std::vector<Trial> alone = run_study(space(), options, climb);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      if (alone[i].point != trials.at(i).point || alone[i].value != trials[i].value) {
        out["problems"].push_back({alone[i].number, "another trial than one worker gives"});
      }
    }
  }
  std::cout << out.dump() << '\n';
}

void run(const std::vector<std::string>& words) {
  if (words.at(1) == "work") return work(words);
  if (words.at(1) == "check") return check(words);
  throw std::invalid_argument(words.at(1));
}

}  // namespace

int main(int count, char** words) {
  tcrops::install_interrupt_handlers();
  try {
    run({words + 1, words + count});
    return 0;
  } catch (const tcrops::Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "internal error: " << error.what() << '\n';
    return 99;
  }
}

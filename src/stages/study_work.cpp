#include "study_work.hpp"

#include "earlier_trials.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

namespace tcrops::stages {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Slurm's job, with the task of an array.
std::string scheduler_job() {
  const std::string array = environment("SLURM_ARRAY_JOB_ID");
  const std::string job = array.empty() ? environment("SLURM_JOB_ID")
                                        : array + "_" + environment("SLURM_ARRAY_TASK_ID");
  const std::string restarts = environment("SLURM_RESTART_COUNT");
  if (job.empty() || restarts.empty() || restarts == "0") return job;
  return fmt::format("{} (restart {})", job, restarts);
}

tune::WorkerName worker_name() {
  return {fmt::format("{}:{}", host_name(), ::getpid()), scheduler_job()};
}

// The bench seen as the work of a worker.
class StudyWork {
 public:
  StudyWork(const StudyDefinition& study, const TrialBench& bench, StudyFolder& folder)
      : study_(study), bench_(bench), folder_(folder) {}

  tune::Trial run(tune::Running& running) {
    const std::int64_t number = running.claim().number;
    TrialSurroundings around;
    around.checkpoints = [&](std::size_t part) {
      return folder_.checkpoint(number, part, fmt::format("{} {}", study_.id, number));
    };
    around.on_start = [&](std::int64_t epoch) {
      if (epoch > 0) log_info(fmt::format("trial {} goes on after epoch {}", number, epoch));
    };
    around.on_epoch = [&](std::int64_t epoch) { running.reached(epoch); };
    if (study_.options.pruner) {
      around.report = [&](const tune::Report& report) { return running.report(report); };
      around.settle = [&] { return running.settle(); };
    }
    if (running.claim().attempt > 1) {
      log_info(fmt::format("trial {}: attempt {}", number, running.claim().attempt));
    }
    TriedOut tried =
        try_out(bench_, trial_seed(bench_.config.seed, number), running.claim().point, around);
    if (tried.fitted && tried.trial.acceptable) {
      tune::Trial trial = tried.trial;
      trial.number = number;
      trial.point = running.claim().point;
      folder_.keep_weights(trial, running.known(), tried.fitted->network->weights());
    }
    return std::move(tried.trial);
  }

 private:
  const StudyDefinition& study_;
  const TrialBench& bench_;
  StudyFolder& folder_;
};

double best_of(const std::vector<tune::TrialRecord>& records) {
  double best = -std::numeric_limits<double>::infinity();
  for (const tune::TrialRecord& record : records) {
    const tune::Trial& trial = record.trial;
    if (record.phase != tune::Phase::kEnded || !trial.acceptable) continue;
    if (trial.state == tune::TrialState::kComplete) best = std::max(best, trial.value);
  }
  return best;
}

}  // namespace

db::Database open_database(const std::string& url, const PipelineConfig& config) {
  const db::Address address = db::address(url);
  return db::Database::open(address,
                            {.patience_seconds = config.tune.patience_seconds,
                             .on_wait = [shown = address.shown()](const std::string& reason) {
                               log_warning(fmt::format("{} is away, waiting: {}", shown, reason));
                             }});
}

tune::StudyStorage connect_study(const StudyDefinition& study, const std::string& url,
                                 const PipelineConfig& config) {
  return {
      open_database(url, config), study.id, study.name, study.document, study.space, study.options};
}

void take_over_earlier(const StudyDefinition& study, const std::string& url,
                       const PipelineConfig& config, const store::Store& store) {
  tune::StudyStorage storage = connect_study(study, url, config);
  storage.refresh();
  if (!storage.records().empty()) return;
  const auto earlier = earlier_study(store, study.id);
  const std::int64_t taken = earlier ? storage.take_over(earlier->records) : 0;
  if (taken > 0) log_info(fmt::format("tune goes on from {} trials of before", taken));
}

std::int64_t jobs_of(const PipelineConfig& config, const nn::Device& device) {
  if (device.cuda) return 1;
  const TuneConfig& tune = config.tune;
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const std::int64_t wanted = tune.jobs == 0 ? cores : tune.jobs;
  return std::min(tune.window == 0 ? wanted : std::min(wanted, tune.window), tune.trials);
}

std::int64_t work_on(const StudyDefinition& study, const TrialBench& bench,
                     const StudyPlace& place) {
  const PipelineConfig& config = bench.config;
  const TuneConfig& tune = config.tune;
  StudyWork work(study, bench, place.folder);
  std::optional<Progress> progress;
  const auto show = [&](const tune::StudyStorage& storage, const std::int64_t more, double newest) {
    const double best = std::max(best_of(storage.records()), newest);
    progress->update(
        static_cast<std::uint64_t>(storage.ended() + more),
        std::isfinite(best) ? fmt::format("best {} {:.4f}", tune.objective, best) : "");
  };
  {
    tune::StudyStorage storage = connect_study(study, place.url, config);
    storage.refresh();
    progress.emplace("tune", static_cast<std::uint64_t>(storage.trials()), "trials",
                     static_cast<std::uint64_t>(storage.ended()));
    if (storage.ended() > 0) show(storage, 0, -std::numeric_limits<double>::infinity());
  }
  tune::WorkerHooks hooks;
  hooks.connect = [&] { return connect_study(study, place.url, config); };
  hooks.work = [&](tune::Running& running) { return work.run(running); };
  hooks.progress = [&](const tune::StudyStorage& storage, const tune::Trial& trial) {
    place.folder.drop_checkpoints(trial.number);
    const bool counts = trial.acceptable && trial.state == tune::TrialState::kComplete;
    show(storage, 1, counts ? trial.value : -std::numeric_limits<double>::infinity());
  };
  return tune::work_on_study(
      {worker_name(), jobs_of(config, bench.device), {tune.lease_seconds, tune.attempts}}, hooks);
}

tune::Objective objective_of(const TrialBench& bench) {
  return [&bench](std::int64_t number, const tune::Point& point, const tune::Reporter& report) {
    TrialSurroundings around;
    around.on_epoch = [](std::int64_t) { check_interrupt(); };
    if (bench.config.tune.pruner != "none") around.report = report;
    return try_out(bench, trial_seed(bench.config.seed, number), point, around).trial;
  };
}

}  // namespace tcrops::stages

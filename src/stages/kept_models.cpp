#include "kept_models.hpp"

#include "foundation.hpp"
#include "search_space.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

namespace tcrops::stages {
namespace {

// One training with one of the further seeds.
struct Task {
  const tune::Trial* trial = nullptr;
  std::size_t repetition = 0;  // from 1
  std::uint64_t seed = 0;
};

std::uint64_t seed_of(const tune::Trial& trial) {
  return trial.details.at("seed").get<std::uint64_t>();
}

std::uint64_t kept_seed(const tune::Trial& trial, std::size_t repetition) {
  return Rng(seed_of(trial), "tune.keep", repetition).next64() >> 1U;
}

// Null where the training is not acceptable.
Json value_of(const TrialBench& bench, const Task& task, StudyFolder& folder) {
  if (const auto known = folder.value(*task.trial, task.repetition)) return *known;
  TrialSurroundings around;
  around.on_epoch = [](std::int64_t) { check_interrupt(); };
  const TriedOut tried = try_out(bench, task.seed, task.trial->point, around);
  Json value = tried.trial.acceptable ? number_or_null(tried.trial.value) : Json();
  folder.keep_value(*task.trial, task.repetition, value);
  return value;
}

// Does every task, several at once. The first exception ends it and is thrown.
void do_all(std::size_t count, std::int64_t jobs, const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        check_interrupt();
        task(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::int64_t i = 1; i < jobs; ++i) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

Json spread_of(const tune::Trial& trial, const std::vector<Task>& tasks,
               const std::vector<Json>& values) {
  Json seeds = {seed_of(trial)};
  Json all = {trial.value};
  std::vector<double> numbers = {trial.value};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].trial != &trial) continue;
    seeds.push_back(tasks[i].seed);
    all.push_back(values[i]);
    if (!values[i].is_null()) numbers.push_back(values[i].get<double>());
  }
  const auto count = static_cast<double>(numbers.size());
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  Json sd = numbers.size() < 2 ? Json() : Json(std::sqrt(squares / (count - 1.0)));
  return {{"seeds", std::move(seeds)},
          {"values", std::move(all)},
          {"mean", mean},
          {"sd", std::move(sd)}};
}

}  // namespace

std::vector<KeptModel> describe_kept(const TrialBench& bench,
                                     const std::vector<tune::Trial>& trials,
                                     const std::vector<std::int64_t>& best, StudyFolder& folder,
                                     std::int64_t jobs) {
  std::vector<Task> tasks;
  for (const std::int64_t number : best) {
    const tune::Trial& trial = trials.at(static_cast<std::size_t>(number));
    for (std::size_t i = 1; i < static_cast<std::size_t>(bench.config.tune.keep_seeds); ++i)
      tasks.push_back({&trial, i, kept_seed(trial, i)});
  }
  std::vector<Json> values(tasks.size());
  if (!tasks.empty()) {
    Progress progress("best again", tasks.size(), "trainings");
    std::atomic<std::uint64_t> done{0};
    do_all(tasks.size(), jobs, [&](std::size_t i) {
      values[i] = value_of(bench, tasks[i], folder);
      progress.update(++done);
    });
  }
  std::vector<KeptModel> kept;
  for (const std::int64_t number : best) {
    const tune::Trial& trial = trials.at(static_cast<std::size_t>(number));
    kept.push_back({number,
                    {{"trial", number},
                     {"value", trial.value},
                     {"seed", trial.details.at("seed")},
                     {"parameters", trial.details.at("parameters")},
                     {"point", tune::to_json(trial.point)},
                     {"trained_numbers", trial.weights},
                     {"metrics", trial.details.at("metrics")},
                     {"spread", spread_of(trial, tasks, values)}}});
  }
  return kept;
}

Fitted network_of(const TrialBench& bench, const tune::Trial& trial, StudyFolder& folder) {
  const FitParameters parameters = trial_parameters(trial.point, bench.config);
  const data::Expansion& expansion = bench.dataset.encoder->expansion();
  const bool of_one_training = bench.folds.empty();
  if (const auto weights = folder.weights(trial); weights && of_one_training) {
    nn::NetworkOptions network = parameters.network;
    network.architecture = parameters.model;
    const SideData& train = rows_for(bench.sides, parameters);
    Fitted fitted;
    fitted.network = nn::core().load(blueprint(network, expansion, train, seed_of(trial)).spec,
                                     expansion, *weights, bench.device);
    fitted.threshold = trial.details.at("threshold").get<double>();
    fitted.history = trial.details.at("history");
    return fitted;
  }
  log_info(fmt::format("trial {}: training its network again", trial.number));
  if (!of_one_training) return fit_on_sides(bench, parameters, seed_of(trial));
  TrialSurroundings around;
  around.on_epoch = [](std::int64_t) { check_interrupt(); };
  TriedOut again = try_out(bench, seed_of(trial), trial.point, around);
  if (!again.fitted || again.trial.value != trial.value) {
    throw Error(ExitCode::kFailure,
                fmt::format("trial {} had the value {}, and has {} when it is trained again here; "
                            "was it trained by another program or on another kind of machine?",
                            trial.number, trial.value, again.trial.value));
  }
  // The trial's own, for a pruner's watch is part of it.
  again.fitted->history = trial.details.at("history");
  return std::move(*again.fitted);
}

}  // namespace tcrops::stages

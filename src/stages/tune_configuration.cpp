#include "tune_configuration.hpp"

#include "search_space.hpp"
#include "space_shape.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/db/database.hpp>
#include <tcrops/eval/objective.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/tune/tpe_options.hpp>

#include <fmt/format.h>

#include <array>

namespace tcrops::stages {
namespace {

constexpr const char* kOfDefaultSpace[] = {"models", "learning_rate_min", "learning_rate_max",
                                           "epochs_min", "epochs_max"};

void add_trials(FieldTable& table, TuneConfig& c) {
  const auto presets = tune::tpe_presets();
  table.add("sampler", c.sampler, "how trials are chosen", {.choices = {"tpe", "random"}});
  table.add("preset", c.preset, "the published form of TPE",
            {.choices = {presets.begin(), presets.end()}});
  table.add("trials", c.trials, "number of trials in all", {.minimum = 1, .maximum = 1'000'000});
  table.add("startup_trials", c.startup_trials,
            "random trials before TPE begins; 0: as the preset has it (hyperopt 20, others 10)",
            {.minimum = 0, .maximum = 1'000'000});
  table.add("window", c.window,
            "a trial is chosen without the results of the window - 1 before it, so so many can run "
            "at once with the same result; 0: a trial is chosen from all results that are there "
            "when it begins; faster with many workers, and every choice is recorded so that `study "
            "replay` repeats it",
            {.minimum = 0, .maximum = 1024});
  table.add("jobs", c.jobs, "trials to run at once; 0 means one per core; never changes the result",
            {.minimum = 0, .maximum = 1024, .shapes_result = false});
}

void add_judgement(FieldTable& table, TuneConfig& c) {
  table.add("objective", c.objective,
            "what the search maximises: a figure of evaluate over all rows, or with macro_ its "
            "mean over epitopes; of brier, ece and rank, less of which is better, the negative; "
            "paper: that of the original paper",
            {.choices = eval::objective_names()});
  table.add(
      "select_on", c.select_on,
      "rows that judge a trial; \"test\" repeats the original paper's mistake and is labelled so",
      {.choices = {"validation", "test"}});
  table.add("seeds", c.seeds, "trainings of each trial, of which the mean is its value",
            {.minimum = 1, .maximum = 100});
  table.add("inner_folds", c.inner_folds,
            "folds of whole TCR clusters into which training and validation rows together are "
            "dealt, each judged by a network trained on the others; 0: the validation rows judge",
            {.minimum = 0, .maximum = 100});
  table.add(
      "minimum_positive_share", c.minimum_positive_share,
      "objective \"paper\" only: predicted positives a model needs, as a share of the true ones",
      {.minimum = 0, .maximum = 1000});
  table.add(
      "maximum_positive_share", c.maximum_positive_share,
      "objective \"paper\" only: predicted positives a model may have, as a share of the true ones",
      {.minimum = 0, .maximum = 1000});
  table.add("keep", c.keep, "best models to keep", {.minimum = 1, .maximum = 100});
  table.add("keep_seeds", c.keep_seeds,
            "seeds with which each kept model is trained again, its own included, to say how much "
            "it varies",
            {.minimum = 1, .maximum = 100});
}

void add_pruner(FieldTable& table, TuneConfig& c) {
  constexpr double kMostEpochs = 100'000;
  table.add("pruner", c.pruner,
            "what ends a trial early, by its objective after each epoch: median or another "
            "percentile of the finished trials, asynchronous successive halving, or Hyperband",
            {.choices = {"none", "median", "percentile", "asha", "hyperband"}});
  table.add("pruner_percentile", c.pruner_percentile,
            "percentile: of the finished trials, so many in a hundred are good enough to go on",
            {.minimum = 0, .maximum = 100});
  table.add("pruner_startup_trials", c.pruner_startup_trials,
            "median, percentile: finished trials before one is ended early",
            {.minimum = 0, .maximum = 1'000'000});
  table.add("pruner_warmup_epochs", c.pruner_warmup_epochs,
            "median, percentile: epochs in which no trial is ended",
            {.minimum = 0, .maximum = kMostEpochs, .unit = "epochs"});
  table.add("pruner_interval_epochs", c.pruner_interval_epochs,
            "median, percentile: epochs from one decision to the next",
            {.minimum = 1, .maximum = kMostEpochs, .unit = "epochs"});
  table.add("pruner_minimum_epochs", c.pruner_minimum_epochs,
            "asha, hyperband: epochs that every trial gets; asha with 0: a hundredth of the "
            "longest finished trial",
            {.minimum = 0, .maximum = kMostEpochs, .unit = "epochs"});
  table.add("pruner_maximum_epochs", c.pruner_maximum_epochs,
            "hyperband: epochs of a whole trial; 0: those of the longest finished one",
            {.minimum = 0, .maximum = kMostEpochs, .unit = "epochs"});
  table.add("pruner_reduction_factor", c.pruner_reduction_factor,
            "asha, hyperband: one of so many goes on, for so many times the epochs; 0: the "
            "pruner's own (asha 4, hyperband 3)",
            {.minimum = 0, .maximum = 1000});
  table.add("pruner_early_stopping_rate", c.pruner_early_stopping_rate,
            "asha: decisions that are left out at the beginning", {.minimum = 0, .maximum = 60});
}

// Of what is no address nobody knows where its password stands.
std::string shown_address(const std::string& url) {
  try {
    return db::address(url).shown();
  } catch (const Error&) {
    return url.find_first_of("@=") == std::string::npos ? url : "***";
  }
}

void add_workers(FieldTable& table, TuneConfig& c) {
  table.add("attempts", c.attempts,
            "how often a trial whose worker died or ran out of memory is begun again before it "
            "counts as failed",
            {.minimum = 1, .maximum = 1000});
  table.add("lease_seconds", c.lease_seconds,
            "a worker that has said nothing for so long counts as dead",
            {.minimum = 2, .maximum = 86'400, .unit = "s", .shapes_result = false});
  table.add("patience_seconds", c.patience_seconds,
            "how long a database that is away is waited for",
            {.minimum = 0, .maximum = 604'800, .unit = "s", .shapes_result = false});
  table.add("storage", c.storage,
            "URL of the database that workers share; empty: SQLite inside the store",
            {.shapes_result = false,
             .examples = {"postgresql://tcrops@db.example.org/studies"},
             .as_shown = shown_address});
  table.add("warm_start", c.warm_start,
            "trials of earlier studies to try first: none; auto: the best of studies on datasets "
            "that look alike; or the id or name of a study",
            {.not_empty = true, .examples = {"none", "auto", "viral.study"}});
  table.add("warm_start_trials", c.warm_start_trials, "trials to take from earlier studies",
            {.minimum = 1, .maximum = 1000});
  table.add("warm_start_distance", c.warm_start_distance,
            "auto: largest mean distance of fingerprints at which datasets look alike",
            {.minimum = 0, .maximum = 1});
}

void add_space(FieldTable& table, TuneConfig& c) {
  table.add(
      "space", c.space,
      "what is searched, a list of parameters. Each has a name, which is the path of a field "
      "of network or train, and a type: float or integer with low, high and perhaps log and "
      "step, or choice with options, for a list as --set takes it; and perhaps when, an "
      "object with parameter and values of a choice before it: only then it counts. Empty: "
      "model, learning_rate and epochs within the bounds below",
      {[&table] { return space_item_schema(searchable_fields(table)); }, space_shape_problems});
  table.add("models", c.models, "empty space: architectures to try",
            {.choices = nn::architecture_names(), .not_empty = true});
  table.add("learning_rate_min", c.learning_rate_min, "empty space: lower end of the learning rate",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("learning_rate_max", c.learning_rate_max, "empty space: upper end of the learning rate",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("epochs_min", c.epochs_min, "empty space: fewest epochs",
            {.minimum = 1, .maximum = 100'000});
  table.add("epochs_max", c.epochs_max, "empty space: most epochs",
            {.minimum = 1, .maximum = 100'000});
}

// A lower end above its upper one.
Problems crossed(const FieldTable& table, const std::string& low, const std::string& high) {
  if (table.at(low).get() <= table.at(high).get()) return {};
  const bool about_low = table.at(low).place.origin >= table.at(high).place.origin;
  const Field& one = table.at(about_low ? low : high);
  const Field& other = table.at(about_low ? high : low);
  return table.joint_problem(
      {low, high}, fmt::format("{} is {} {}, which is {} ({}); change one or exchange them",
                               one.get().dump(), about_low ? "above" : "below", other.path(),
                               other.get().dump(), other.place.text()));
}

// Bounds of the default space beside a space.
Problems two_spaces(const FieldTable& table, const TuneConfig& c) {
  Problems problems;
  if (c.space.empty()) return problems;
  for (const char* name : kOfDefaultSpace) {
    const Field& field = table.at(std::string("tune.") + name);
    if (field.get() == field.default_value) continue;
    append(problems, table.joint_problem(
                         {field.path(), "tune.space"},
                         fmt::format("tune.space says what is searched, and tune.{} counts without "
                                     "it only; leave one of them out",
                                     name)));
  }
  return problems;
}

Problems pruner_problems(const FieldTable& table, const TuneConfig& c) {
  Problems problems;
  if (c.pruner_reduction_factor == 1) {
    append(problems, table.joint_problem({"tune.pruner_reduction_factor"},
                                         "must be 0 or at least 2: one of one ends nothing"));
  }
  if (c.pruner == "none") return problems;
  if (c.seeds > 1 || c.inner_folds > 0) {
    const char* const several = c.seeds > 1 ? "tune.seeds" : "tune.inner_folds";
    append(problems, table.joint_problem(
                         {"tune.pruner", several},
                         fmt::format("a pruner judges the epochs of one training, and with {} a "
                                     "trial has several; take pruner \"none\" or one training",
                                     several)));
  }
  if (c.pruner != "hyperband") return problems;
  if (c.pruner_minimum_epochs == 0) {
    append(problems, table.joint_problem({"tune.pruner_minimum_epochs", "tune.pruner"},
                                         "hyperband gives every trial at least one epoch; only "
                                         "asha takes 0"));
  }
  if (c.pruner_maximum_epochs != 0 && c.pruner_maximum_epochs < c.pruner_minimum_epochs) {
    append(problems, crossed(table, "tune.pruner_minimum_epochs", "tune.pruner_maximum_epochs"));
  }
  return problems;
}

Problems fold_problems(const FieldTable& table, const TuneConfig& c) {
  if (c.inner_folds == 0) return {};
  if (c.inner_folds == 1) {
    return table.joint_problem({"tune.inner_folds"},
                               "one fold leaves no rows to train on; take 0, or at least 2");
  }
  if (c.select_on != "test") return {};
  return table.joint_problem({"tune.inner_folds", "tune.select_on"},
                             "with inner_folds the folds judge a trial, not the test rows; take "
                             "select_on \"validation\" or inner_folds 0");
}

}  // namespace

void add_tune(FieldTable& table, TuneConfig& c) {
  table.begin_section("tune", "hyper-parameter search");
  add_trials(table, c);
  add_judgement(table, c);
  add_pruner(table, c);
  add_workers(table, c);
  add_space(table, c);
}

Problems tune_problems(const FieldTable& table, const PipelineConfig& config) {
  const TuneConfig& c = config.tune;
  Problems problems = crossed(table, "tune.minimum_positive_share", "tune.maximum_positive_share");
  append(problems, crossed(table, "tune.learning_rate_min", "tune.learning_rate_max"));
  append(problems, crossed(table, "tune.epochs_min", "tune.epochs_max"));
  append(problems, two_spaces(table, c));
  append(problems, pruner_problems(table, c));
  append(problems, fold_problems(table, c));
  append(problems, space_problems(table, config));
  return problems;
}

Json tune_configuration(const PipelineConfig& config) {
  const TuneConfig& c = config.tune;
  Json json = config.fields().resolved("tune", true);
  const auto drop = [&](const auto& names) {
    for (const char* name : names) json.erase(name);
  };
  constexpr std::array kOfPercentile = {"pruner_startup_trials", "pruner_warmup_epochs",
                                        "pruner_interval_epochs"};
  constexpr std::array kOfHalving = {"pruner_minimum_epochs", "pruner_reduction_factor"};
  const bool halves = c.pruner == "asha" || c.pruner == "hyperband";
  if (c.sampler != "tpe") drop(std::array{"preset", "startup_trials"});
  if (c.pruner == "none" || halves) drop(kOfPercentile);
  if (!halves) drop(kOfHalving);
  if (c.pruner != "percentile") json.erase("pruner_percentile");
  if (c.pruner != "hyperband") json.erase("pruner_maximum_epochs");
  if (c.pruner != "asha") json.erase("pruner_early_stopping_rate");
  if (c.warm_start == "none") json.erase("warm_start_trials");
  if (c.warm_start != "auto") json.erase("warm_start_distance");
  if (!c.space.empty()) drop(kOfDefaultSpace);
  return json;
}

}  // namespace tcrops::stages

#include "tune_configuration.hpp"

#include "search_space.hpp"

#include <catch_all.hpp>

namespace tcrops::stages {
namespace {

// What is wrong with these assignments, one line each.
std::string wrong(PipelineConfig& config, const std::vector<std::string>& assignments) {
  Problems problems;
  for (const std::string& each : assignments) append(problems, config.fields().assign(each));
  append(problems, config.check());
  std::string text;
  for (const Problem& problem : problems) text += problem.text() + "\n";
  return text;
}
std::string wrong(const std::vector<std::string>& assignments) {
  PipelineConfig config;
  return wrong(config, assignments);
}

constexpr const char* kSpace =
    R"(tune.space=[{"name":"train.epochs","type":"integer","low":1,"high":2}])";

TEST_CASE("a pruner judges one training") {
  CHECK(wrong({"tune.pruner=median"}).empty());
  CHECK(wrong({"tune.pruner=median", "tune.seeds=2"}) ==
        "--set tune.pruner: a pruner judges the epochs of one training, and with tune.seeds a "
        "trial has several; take pruner \"none\" or one training\n");
  CHECK(wrong({"tune.pruner=asha", "tune.inner_folds=3"}) ==
        "--set tune.pruner: a pruner judges the epochs of one training, and with tune.inner_folds "
        "a trial has several; take pruner \"none\" or one training\n");
  CHECK(wrong({"tune.seeds=2", "tune.inner_folds=3"}).empty());
}

TEST_CASE("options of pruners that mean nothing") {
  CHECK(wrong({"tune.pruner_reduction_factor=1"}) ==
        "--set tune.pruner_reduction_factor: must be 0 or at least 2: one of one ends nothing\n");
  CHECK(wrong({"tune.pruner=asha", "tune.pruner_minimum_epochs=0"}).empty());
  CHECK(wrong({"tune.pruner=hyperband", "tune.pruner_minimum_epochs=0"}) ==
        "--set tune.pruner_minimum_epochs: hyperband gives every trial at least one epoch; only "
        "asha takes 0\n");
  CHECK(wrong({"tune.pruner=hyperband", "tune.pruner_minimum_epochs=9",
               "tune.pruner_maximum_epochs=8"}) ==
        "--set tune.pruner_minimum_epochs: 9 is above tune.pruner_maximum_epochs, which is 8 "
        "(--set); change one or exchange them\n");
  CHECK(wrong({"tune.pruner=hyperband", "tune.pruner_minimum_epochs=9"}).empty());
}

TEST_CASE("folds need two, and no test rows") {
  CHECK(wrong({"tune.inner_folds=1"}) ==
        "--set tune.inner_folds: one fold leaves no rows to train on; take 0, or at least 2\n");
  CHECK(wrong({"tune.inner_folds=2", "tune.select_on=test"}) ==
        "--set tune.inner_folds: with inner_folds the folds judge a trial, not the test rows; take "
        "select_on \"validation\" or inner_folds 0\n");
}

TEST_CASE("a space and the bounds of the default one exclude each other") {
  CHECK(wrong({kSpace}).empty());
  CHECK(wrong({kSpace, "tune.epochs_max=25"}).empty());  // the default
  CHECK(wrong({kSpace, "tune.epochs_max=9", "tune.models=cnn"}) ==
        "--set tune.models: tune.space says what is searched, and tune.models counts without it "
        "only; leave one of them out\n"
        "--set tune.epochs_max: tune.space says what is searched, and tune.epochs_max counts "
        "without it only; leave one of them out\n");
}

TEST_CASE("earlier studies must be named") {
  CHECK(wrong({"tune.warm_start="}) == "--set tune.warm_start: must not be empty\n");
  CHECK(wrong({"tune.warm_start=viral.study"}).empty());
}

TEST_CASE("a startup of 0 is the preset's own") {
  TuneConfig c;
  CHECK(tpe_options_of(c).startup_trials == 10);
  c.preset = "hyperopt";
  CHECK(tpe_options_of(c).startup_trials == 20);
  CHECK(tpe_options_of(c).good_count == tune::GoodCount::kSquareRoot);
  c.startup_trials = 7;
  CHECK(tpe_options_of(c).startup_trials == 7);
}

TEST_CASE("pruners with the section's options, or their own") {
  TuneConfig c;
  CHECK_FALSE(pruner_of(c));
  c.pruner_percentile = 25.0;
  c.pruner_startup_trials = 3;
  c.pruner_warmup_epochs = 4;
  c.pruner_interval_epochs = 2;
  c.pruner = "median";
  const auto median = std::get<tune::PercentilePruner>(pruner_of(c).value());
  CHECK(median.percentile == 50.0);
  CHECK(median.startup_trials == 3);
  CHECK(median.warmup_steps == 4);
  CHECK(median.interval_steps == 2);
  c.pruner = "percentile";
  CHECK(std::get<tune::PercentilePruner>(pruner_of(c).value()).percentile == 25.0);
  c.pruner = "asha";
  c.pruner_early_stopping_rate = 2;
  const auto asha = std::get<tune::AshaPruner>(pruner_of(c).value());
  CHECK(asha.min_resource == 1);
  CHECK(asha.reduction_factor == 4);
  CHECK(asha.early_stopping_rate == 2);
  c.pruner = "hyperband";
  c.pruner_minimum_epochs = 2;
  c.pruner_maximum_epochs = 27;
  const auto hyperband = std::get<tune::HyperbandPruner>(pruner_of(c).value());
  CHECK(hyperband.min_resource == 2);
  CHECK(hyperband.max_resource == 27);
  CHECK(hyperband.reduction_factor == 3);
  c.pruner_reduction_factor = 5;
  CHECK(std::get<tune::HyperbandPruner>(pruner_of(c).value()).reduction_factor == 5);
}

TEST_CASE("what shapes a study, and nothing that its other values make irrelevant") {
  const auto key = [](const std::vector<std::string>& assignments) {
    PipelineConfig config;
    CHECK(wrong(config, assignments).empty());
    return tune_configuration(config);
  };
  const Json plain = key({});
  for (const char* irrelevant :
       {"tune.jobs=3", "tune.lease_seconds=9", "tune.patience_seconds=9", "tune.storage=sqlite:x",
        "tune.pruner_percentile=9", "tune.pruner_startup_trials=9", "tune.pruner_minimum_epochs=9",
        "tune.pruner_maximum_epochs=9", "tune.pruner_reduction_factor=9",
        "tune.pruner_early_stopping_rate=9", "tune.pruner_warmup_epochs=9",
        "tune.pruner_interval_epochs=9", "tune.warm_start_trials=9",
        "tune.warm_start_distance=0.5"}) {
    INFO(irrelevant);
    CHECK(key({irrelevant}) == plain);
  }
  for (const char* shaping :
       {"tune.preset=paper", "tune.startup_trials=9", "tune.window=0", "tune.seeds=2",
        "tune.inner_folds=2", "tune.keep_seeds=2", "tune.pruner=median", "tune.warm_start=auto",
        "tune.objective=macro_rank", kSpace}) {
    INFO(shaping);
    CHECK(key({shaping}) != plain);
  }
  const auto differ = [&](const std::string& pruner, const std::string& option) {
    return key({"tune.pruner=" + pruner}) != key({"tune.pruner=" + pruner, option});
  };
  CHECK(differ("median", "tune.pruner_warmup_epochs=9"));
  CHECK_FALSE(differ("median", "tune.pruner_percentile=9"));
  CHECK(differ("percentile", "tune.pruner_percentile=9"));
  CHECK(differ("asha", "tune.pruner_early_stopping_rate=9"));
  CHECK_FALSE(differ("hyperband", "tune.pruner_early_stopping_rate=9"));
  CHECK(differ("hyperband", "tune.pruner_maximum_epochs=9"));
  CHECK(key({"tune.sampler=random"}) == key({"tune.sampler=random", "tune.preset=paper"}));
  CHECK(key({"tune.warm_start=auto"}) !=
        key({"tune.warm_start=auto", "tune.warm_start_distance=0.5"}));
  CHECK_FALSE(key({kSpace}).contains("models"));
}

}  // namespace
}  // namespace tcrops::stages

#include "fetch_configuration.hpp"
#include "network_configuration.hpp"
#include "tune_configuration.hpp"
#include "variants.hpp"

#include <tcrops/data/encoder.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/eval/paired_bootstrap.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/stages/configuration.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tcrops::stages {
namespace {

void add_preprocess(FieldTable& table, PreprocessConfig& c) {
  table.begin_section("preprocess", "cleaning, encoding and splitting");
  table.add("encoder", c.encoder,
            "how letters become numbers: scalar: as in the original paper; onehot, blosum, "
            "blosum_mds: a vector per amino acid; learned: by an embedding layer",
            {.choices = data::encoder_names()});
  table.add("padding", c.padding,
            "where a short sequence gets its gaps: at its end, or in its centre, which keeps both "
            "ends of a CDR3 in place",
            {.choices = data::padding_names()});
  table.add("features", c.features,
            "columns that the model sees; clone_id is an identifier and only there to repeat the "
            "original paper",
            {.choices = {data::kColumnNames.begin(), data::kColumnNames.end()}, .not_empty = true});
  table.add("optional", c.optional,
            "features that a row may lack; the model then takes such rows, too",
            {.choices = {data::kColumnNames.begin(), data::kColumnNames.end()}});
  table.add("repeats", c.repeats,
            "rows that repeat a pair, and negatives that contradict a positive: drop or keep them",
            {.choices = {"drop", "keep"}});
  table.add("minimum_confidence", c.minimum_confidence,
            "least score of a VDJdb record; 0: any, 1 to 3: ever surer",
            {.minimum = 0, .maximum = 3});
  table.add("minimum_binders", c.minimum_binders,
            "leave out epitopes with fewer binding TCRs; 0: none", {.minimum = 0});
  table.add("negatives", c.negatives,
            "given: rows that the table calls negative; swapped: binders of other epitopes, drawn "
            "within each side; background: control TCRs (fetch.control_file); measured: pairs of "
            "fetch.measured_file",
            {.choices = {"given", "swapped", "background", "measured"}, .not_empty = true});
  table.add("negative_ratio", c.negative_ratio, "drawn negatives of each kind per positive",
            {.minimum = 1, .maximum = 100});
  table.add("split", c.split,
            "clustered: TCRs with nearly the same CDR3s stand on one side; grouped: the same TCR "
            "does; leave_epitope_out: the same epitope, and near TCRs, do; given: as the column "
            "Fold says; random and torch_random_split: by row (leaks), the latter as the original "
            "paper",
            {.choices = {"clustered", "grouped", "leave_epitope_out", "given", "random",
                         "torch_random_split"}});
  table.add("validation_fraction", c.validation_fraction, "share of rows for validation",
            {.minimum = 0, .maximum = 0.9, .minimum_excluded = true});
  table.add("test_fraction", c.test_fraction, "share of rows for the test",
            {.minimum = 0, .maximum = 0.9, .minimum_excluded = true});
  table.add("split_seed", c.split_seed, "seed of the split", {.minimum = 0});
  table.add("folds", c.folds,
            "number of folds to deal the rows into instead of the fractions; 0: none. With split "
            "\"given\" the column says them",
            {.minimum = 0, .maximum = 100});
  table.add("test_fold", c.test_fold, "fold that tests, from 0", {.minimum = 0, .maximum = 99});
  table.add("validation_fold", c.validation_fold,
            "fold that validates; every pair of two folds makes a nested cross-validation",
            {.minimum = 0, .maximum = 99});
  table.add("strict", c.strict, "end with exit status 4 when any row is refused or changed",
            {.shapes_result = false});
  table.add("require_leak_free", c.require_leak_free,
            "end with exit status 6 when the leak check of the split fails",
            {.shapes_result = false});
}

void add_train(FieldTable& table, TrainConfig& c) {
  table.begin_section("train", "the model that is kept");
  table.add(
      "from", c.from,
      "study: the best trial's parameters; configuration: model, learning_rate and epochs below",
      {.choices = {"study", "configuration"}});
  table.add("model", c.model, "architecture", {.choices = nn::architecture_names()});
  table.add("learning_rate", c.learning_rate, "step size of the optimiser",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("epochs", c.epochs,
            "passes over the training rows; 0: the network as it is made, which only a density is "
            "worth something as",
            {.minimum = 0, .maximum = 100'000});
  table.add("batch_size", c.batch_size, "rows per step; also used by tune",
            {.minimum = 2, .maximum = 1'000'000, .unit = "rows"});
  table.add("early_stopping_patience", c.early_stopping_patience,
            "stop after so many epochs without a better validation average precision and keep the "
            "best; 0: never; also used by tune",
            {.minimum = 0, .maximum = 100'000, .unit = "epochs"});
  table.add("threshold", c.threshold,
            "when to call a pair binding: the score with the best validation F1, or one half; also "
            "used by tune",
            {.choices = {"best_f1", "half"}});
  add_training(table, c);
  table.add("device", c.device,
            "auto, cpu, cuda or cuda:N; what is asked for and absent is an error",
            {.shapes_result = false, .examples = {"auto", "cpu", "cuda", "cuda:0"}});
}

void add_rest(FieldTable& table, PredictConfig& predict, ServeCheckConfig& check) {
  table.begin_section("predict", "the prediction at the end of a run");
  table.add("examples", predict.examples, "test rows to predict",
            {.minimum = 1, .maximum = 1'000'000});
  table.begin_section("serve_check", "what a model must pass before it is served");
  table.add("latency_requests", check.latency_requests, "single rows to time",
            {.minimum = 1, .maximum = 1'000'000, .shapes_result = false});
  table.add("max_p50_ms", check.max_p50_ms,
            "fail when half of the single rows are slower, from a table of one row to the same "
            "with its answer, without HTTP; 0: no limit",
            {.minimum = 0, .unit = "ms"});
  table.add("max_p99_ms", check.max_p99_ms, "fail when the 99th percentile is slower; 0: no limit",
            {.minimum = 0, .unit = "ms"});
  table.add("max_memory_mib", check.max_memory_mib,
            "fail when the process holds more memory with the model loaded and used; in `run` that "
            "includes what training left behind; 0: no limit",
            {.minimum = 0, .unit = "MiB"});
}

// Encoders that cannot have these features.
Problems unfit_encoder(const FieldTable& table, const PreprocessConfig& c) {
  Problems problems;
  const bool has_id = std::find(c.features.begin(), c.features.end(),
                                data::column_name(data::Column::kCloneId)) != c.features.end();
  if (c.encoder != "scalar" && has_id) {
    append(problems,
           table.joint_problem({"preprocess.encoder", "preprocess.features"},
                               fmt::format("the encoder {} cannot have clone_id as a feature; "
                                           "leave it out or use the encoder scalar",
                                           c.encoder)));
  }
  return problems;
}

void add_gates(FieldTable& table, GatesConfig& c) {
  table.begin_section("gates", "what a model must show before it becomes champion");
  table.add("metric", c.metric, "metric of the test rows by which models are judged",
            {.choices = {std::begin(eval::kPairedMetrics), std::end(eval::kPairedMetrics)},
             .shapes_result = false});
  table.add("minimum", c.minimum, "least value of the metric; 0: any",
            {.minimum = 0, .maximum = 1, .shapes_result = false});
  table.add("minimum_positives", c.minimum_positives,
            "fewest positive test rows by which a model may be judged",
            {.minimum = 0, .shapes_result = false});
  table.add("beat_nearest_neighbour", c.beat_nearest_neighbour,
            "the metric must be above that of the nearest-neighbour look-up",
            {.shapes_result = false});
  table.add("champion", c.champion,
            "against the champion on the same test rows, and on those of its dataset, by the 95 % "
            "interval of a paired bootstrap: better: surely above it; not_worse: not surely below "
            "it; any: not compared",
            {.choices = {"better", "not_worse", "any"}, .shapes_result = false});
  table.add("fair_test", c.fair_test,
            "refuse an evaluation whose test rows were known to the model or chose it",
            {.shapes_result = false});
  table.add("serve_check", c.serve_check, "serve-check must pass", {.shapes_result = false});
  table.add("resamples", c.resamples, "draws of the paired bootstrap",
            {.minimum = 100, .maximum = 1'000'000, .shapes_result = false});
}

bool draws(const PreprocessConfig& config, const std::string& kind) {
  return std::find(config.negatives.begin(), config.negatives.end(), kind) !=
         config.negatives.end();
}

// Negatives that come from a file which is not named.
Problems negatives_without_file(const FieldTable& table, const PipelineConfig& config) {
  Problems problems;
  const auto require = [&](const char* kind, const std::string& file, const std::string& field) {
    if (!draws(config.preprocess, kind) || !file.empty()) return;
    append(problems,
           table.joint_problem(
               {"preprocess.negatives", field},
               fmt::format("negatives \"{}\" need a file; use --set {}=PATH", kind, field)));
  };
  require("background", config.fetch.control_file, "fetch.control_file");
  require("measured", config.fetch.measured_file, "fetch.measured_file");
  return problems;
}

Problems folds_that_are_not_there(const FieldTable& table, const PreprocessConfig& c) {
  if (c.folds == 0) return {};
  if (c.folds < 3) {
    return table.joint_problem({"preprocess.folds"},
                               "one fold tests and one validates, so at least 3 are needed");
  }
  if (c.split == "torch_random_split") {
    return table.joint_problem({"preprocess.folds", "preprocess.split"},
                               "torch_random_split has no folds; use another split");
  }
  Problems problems;
  for (const auto& [name, fold] : {std::pair{"preprocess.test_fold", c.test_fold},
                                   std::pair{"preprocess.validation_fold", c.validation_fold}}) {
    if (fold < c.folds) continue;
    append(problems,
           table.joint_problem({name, "preprocess.folds"},
                               fmt::format("there is no fold {} of {} (from 0)", fold, c.folds)));
  }
  if (c.test_fold == c.validation_fold) {
    append(problems, table.joint_problem({"preprocess.test_fold", "preprocess.validation_fold"},
                                         "the same fold cannot test and validate"));
  }
  return problems;
}

}  // namespace

PipelineConfig::PipelineConfig() {
  fields_.begin_section("", "");
  fields_.add("name", name, "name of this pipeline; its latest artifacts are called <name>.<kind>",
              {.shapes_result = false, .plain = true});
  fields_.add("seed", seed, "seed of everything that is random, except the split", {.minimum = 0});
  add_fetch(fields_, fetch);
  add_synthetic(fields_, synthetic);
  add_preprocess(fields_, preprocess);
  add_tune(fields_, tune);
  add_network(fields_, network);
  add_train(fields_, train);
  add_evaluate(fields_, evaluate);
  add_ensemble(fields_, ensemble);
  add_calibration(fields_, calibration);
  add_background(fields_, background);
  add_rest(fields_, predict, serve_check);
  add_serve(fields_, serve);
  add_gates(fields_, gates);
}

Problems PipelineConfig::check() const {
  Problems problems;
  append(problems, fetch_problems(fields_, *this));
  if (preprocess.validation_fraction + preprocess.test_fraction > 0.9) {
    append(problems, fields_.joint_problem(
                         {"preprocess.validation_fraction", "preprocess.test_fraction"},
                         "validation_fraction and test_fraction together leave less than a tenth "
                         "for training"));
  }
  append(problems, negatives_without_file(fields_, *this));
  append(problems, folds_that_are_not_there(fields_, preprocess));
  append(problems, unfit_encoder(fields_, preprocess));
  append(problems, network_problems(fields_, *this));
  append(problems, variant_problems(*this));
  append(problems, unfit_ensemble(fields_, ensemble, train.from, tune.keep));
  append(problems, tune_problems(fields_, *this));
  append(problems, unfit_serve(fields_, serve));
  return problems;
}

}  // namespace tcrops::stages

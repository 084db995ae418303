#include <tcrops/data/record.hpp>
#include <tcrops/eval/objective.hpp>
#include <tcrops/eval/paired_bootstrap.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/stages/configuration.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

void add_fetch(FieldTable& table, FetchConfig& c) {
  table.begin_section("fetch", "where the raw data come from");
  table.add(
      "source", c.source,
      "data source: a made-up repertoire, the ePytope-TCR viral benchmark, or a file of yours",
      {.choices = {"synthetic", "viral", "file"}});
  table.add("file", c.file,
            "pair table to read when source is \"file\"; CSV or TSV with the benchmark's columns; "
            "a path is relative to the current folder",
            {.shapes_result = false, .examples = {"pairs.csv"}});
  table.add(
      "mirror", c.mirror, "folder or URL to read the source's files from instead of their origin",
      {.shapes_result = false, .examples = {"/data/mirror", "https://mirror.example/tcrops"}});
  table.add("retries", c.retries, "further attempts after a failed download",
            {.minimum = 0, .maximum = 100, .shapes_result = false});
  table.add("stall_seconds", c.stall_seconds, "give up a connection that sends nothing for so long",
            {.minimum = 0.1, .maximum = 3600, .unit = "s", .shapes_result = false});
}

void add_synthetic(FieldTable& table, SyntheticConfig& c) {
  table.begin_section("synthetic", "the made-up repertoire of source \"synthetic\"");
  table.add("tcrs", c.tcrs, "number of TCRs; each makes one row per epitope",
            {.minimum = 20, .maximum = 100'000'000});
  table.add("epitopes", c.epitopes, "number of epitopes", {.minimum = 2, .maximum = 20});
  table.add("motif_strength", c.motif_strength, "share of binders that carry their epitope's motif",
            {.minimum = 0, .maximum = 1});
  table.add("noise", c.noise, "share of rows that get the wrong label",
            {.minimum = 0, .maximum = 1});
}

void add_preprocess(FieldTable& table, PreprocessConfig& c) {
  table.begin_section("preprocess", "cleaning, encoding and splitting");
  table.add("encoder", c.encoder, "how letters become numbers", {.choices = {"scalar"}});
  table.add("features", c.features,
            "columns that the model sees; clone_id is an identifier and only there to repeat the "
            "original paper",
            {.choices = {data::kColumnNames.begin(), data::kColumnNames.end()}, .not_empty = true});
  table.add("split", c.split,
            "grouped: a TCR stands on one side only; torch_random_split: by row, as the original "
            "paper (leaks)",
            {.choices = {"grouped", "torch_random_split"}});
  table.add("validation_fraction", c.validation_fraction, "share of rows for validation",
            {.minimum = 0, .maximum = 0.9, .minimum_excluded = true});
  table.add("test_fraction", c.test_fraction, "share of rows for the test",
            {.minimum = 0, .maximum = 0.9, .minimum_excluded = true});
  table.add("split_seed", c.split_seed, "seed of the split", {.minimum = 0});
  table.add("strict", c.strict, "end with exit status 4 when any row is refused",
            {.shapes_result = false});
}

void add_tune(FieldTable& table, TuneConfig& c) {
  table.begin_section("tune", "hyper-parameter search");
  table.add("sampler", c.sampler, "how trials are chosen", {.choices = {"tpe", "random"}});
  table.add("trials", c.trials, "number of trials in all", {.minimum = 1, .maximum = 1'000'000});
  table.add("startup_trials", c.startup_trials, "random trials before TPE begins",
            {.minimum = 1, .maximum = 1'000'000});
  table.add("window", c.window,
            "a trial is chosen without the results of the window - 1 before it, so so many can run "
            "at once with the same result",
            {.minimum = 1, .maximum = 1024});
  table.add("jobs", c.jobs, "trials to run at once; 0 means one per core; never changes the result",
            {.minimum = 0, .maximum = 1024, .shapes_result = false});
  table.add("objective", c.objective, "what the search maximises",
            {.choices = eval::objective_names()});
  table.add(
      "select_on", c.select_on,
      "rows that judge a trial; \"test\" repeats the original paper's mistake and is labelled so",
      {.choices = {"validation", "test"}});
  table.add(
      "minimum_positive_share", c.minimum_positive_share,
      "objective \"paper\" only: predicted positives a model needs, as a share of the true ones",
      {.minimum = 0, .maximum = 1000});
  table.add(
      "maximum_positive_share", c.maximum_positive_share,
      "objective \"paper\" only: predicted positives a model may have, as a share of the true ones",
      {.minimum = 0, .maximum = 1000});
  table.add("keep", c.keep, "best models to keep", {.minimum = 1, .maximum = 100});
  table.add("models", c.models, "architectures to try",
            {.choices = nn::architecture_names(), .not_empty = true});
  table.add("learning_rate_min", c.learning_rate_min, "lower end of the learning rate",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("learning_rate_max", c.learning_rate_max, "upper end of the learning rate",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("epochs_min", c.epochs_min, "fewest epochs", {.minimum = 1, .maximum = 100'000});
  table.add("epochs_max", c.epochs_max, "most epochs", {.minimum = 1, .maximum = 100'000});
}

void add_train(FieldTable& table, TrainConfig& c) {
  table.begin_section("train", "the model that is kept");
  table.add(
      "from", c.from,
      "study: the best trial's parameters; configuration: model, learning_rate and epochs below",
      {.choices = {"study", "configuration"}});
  table.add("model", c.model, "architecture", {.choices = nn::architecture_names()});
  table.add("learning_rate", c.learning_rate, "step size of Adam",
            {.minimum = 0, .maximum = 10, .minimum_excluded = true});
  table.add("epochs", c.epochs, "passes over the training rows",
            {.minimum = 1, .maximum = 100'000});
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
  table.add("max_p99_ms", check.max_p99_ms, "fail when the 99th percentile is slower; 0: no limit",
            {.minimum = 0, .unit = "ms"});
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
  add_train(fields_, train);
  add_rest(fields_, predict, serve_check);
  add_gates(fields_, gates);
}

Problems PipelineConfig::check() const {
  Problems problems;
  if (fetch.source == "file" && fetch.file.empty()) {
    append(problems, fields_.joint_problem({"fetch.source", "fetch.file"},
                                           "source is \"file\" but no file is named; use --set "
                                           "fetch.file=PATH"));
  }
  if (preprocess.validation_fraction + preprocess.test_fraction > 0.9) {
    append(problems, fields_.joint_problem(
                         {"preprocess.validation_fraction", "preprocess.test_fraction"},
                         "validation_fraction and test_fraction together leave less than a tenth "
                         "for training"));
  }
  append(problems, crossed(fields_, "tune.minimum_positive_share", "tune.maximum_positive_share"));
  append(problems, crossed(fields_, "tune.learning_rate_min", "tune.learning_rate_max"));
  append(problems, crossed(fields_, "tune.epochs_min", "tune.epochs_max"));
  return problems;
}

}  // namespace tcrops::stages

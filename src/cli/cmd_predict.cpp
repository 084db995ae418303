#include "commands.hpp"
#include "stage_options.hpp"
#include "table_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/stages/batch_predict.hpp>

#include <fmt/format.h>

#include <filesystem>

namespace tcrops::cli {
namespace {

struct Options {
  std::string model;
  stages::BatchPredictOptions batch;
  TableOptions table;
  StageOptions pipeline;
};

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

void tell_explained(const stages::ExplainOptions& options, const stages::ExplainResult& result) {
  log_info(
      fmt::format("{} rows explained in {} ({} steps); what letters add misses the logits by "
                  "{:.2g} on average, "
                  "by {:.2g} at most (line {})",
                  result.rows, options.file, options.steps, result.mean_error, result.largest_error,
                  result.line_of_largest));
}

Json explained_json(const stages::ExplainOptions& options, const stages::ExplainResult& result) {
  if (options.file.empty()) return nullptr;
  return {{"file", options.file},
          {"rows", result.rows},
          {"steps", options.steps},
          {"mean_error", result.mean_error},
          {"largest_error", result.largest_error},
          {"line", result.line_of_largest}};
}

int predict_file(Session& session, Options& options) {
  options.batch.input = options.table.resolved();
  if (options.batch.input.path.empty()) {
    throw Error(ExitCode::kUsage, "--model needs --input FILE (or --input - for stdin)");
  }
  if (session.json && options.batch.output == "-") {
    throw Error(ExitCode::kUsage,
                "--json prints the result's summary; send the rows to a file with --output");
  }
  const stages::ExplainOptions& explain = options.batch.explain;
  if (session.json && explain.file == "-")
    throw Error(ExitCode::kUsage, "--json prints the result's summary; give --explain a file");
  for (const std::string& other : {options.batch.input.path, options.batch.output}) {
    if (!explain.file.empty() && is_same_file(explain.file, other)) {
      throw Error(ExitCode::kUsage,
                  fmt::format("--explain {} is where rows are read or written; name another file",
                              explain.file));
    }
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(options.batch.output, ignored) &&
      std::filesystem::equivalent(options.batch.input.path, options.batch.output, ignored)) {
    throw Error(ExitCode::kUsage,
                fmt::format("{}: --output would replace the input; name another file",
                            options.batch.output));
  }
  const auto store = session.open_claiming_store();
  const auto result = stages::batch_predict(store, store.get(options.model), options.batch);
  if (result.unusable > 0) {
    log_warning(fmt::format("{} of {} rows have no score:{}\n  the column `problem` says why",
                            result.unusable, result.rows, result.first_problems));
  }
  log_info(fmt::format("{} rows of format {}, {} called binding", result.rows, result.format,
                       result.called));
  if (result.unseen_epitope + result.far_from_training > 0) {
    log_info(
        fmt::format("{} rows of an epitope without a binder in training, {} whose TCR is far "
                    "from training; the column `flags` says which",
                    result.unseen_epitope, result.far_from_training));
  }
  if (!explain.file.empty()) tell_explained(explain, result.explained);
  for (const auto& entry : result.cleaning.entries()) {
    if (entry.action == data::Action::kRefused) continue;
    log_info(fmt::format("{}: {}: {} in {} rows, first in line {}: {}",
                         data::action_name(entry.action), entry.field, entry.code, entry.count,
                         entry.first_line, entry.first_reason));
  }
  if (session.json) {
    print_result(session,
                 {{"schema", "tcrops.predict/1"},
                  {"format", result.format},
                  {"rows", result.rows},
                  {"called", result.called},
                  {"unusable", result.unusable},
                  {"unseen_epitope", result.unseen_epitope},
                  {"far_from_training", result.far_from_training},
                  {"background", result.background},
                  {"explained", explained_json(explain, result.explained)},
                  {"cleaning", result.cleaning.json()},
                  {"output", options.batch.output}},
                 "");
  }
  return 0;
}

int predict(const CLI::App& app, Session& session, Options& options) {
  if (!options.model.empty()) {
    require_no_pipeline_options(session, options.pipeline);
    return predict_file(session, options);
  }
  if (session.config_path.empty()) {
    throw Error(ExitCode::kUsage,
                "give --model MODEL --input FILE, or --config FILE for the examples of a pipeline");
  }
  assign_if_given(app, session, "--device", "train.device");
  if (options.table.source.path.empty()) {
    if (options.batch.output != "-" || options.batch.strict || options.batch.plain ||
        !options.batch.explain.file.empty()) {
      throw Error(ExitCode::kUsage,
                  "--output, --strict, --plain and --explain need --input FILE (or --input - for "
                  "stdin)");
    }
    return run_stage(session, stages::Stage::kPredict, options.pipeline);
  }
  session.load_config();
  options.batch.device = session.config.train.device;
  // The model that this configuration describes, and not whatever had the name last.
  stages::PipelineOptions wanted = options.pipeline.pipeline(stages::Stage::kTrain);
  if (options.pipeline.require_inputs) wanted.only_reuse.insert(stages::Stage::kTrain);
  stages::Pipeline pipeline(session.config, session.open_store(), wanted);
  pipeline.on_start = announce;
  options.model = pipeline.run(stages::Stage::kTrain).back().artifact->id;
  return predict_file(session, options);
}

}  // namespace

void add_predict(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "model to use: a name (viral.model) or the first 6 or more digits of an id")
      ->type_name(kModelType);
  app.add_option("-i,--input", options->table.source.path,
                 "table in any supported format, compressed or not; - for stdin")
      ->type_name(kFileType);
  app.add_option("-o,--output", options->batch.output,
                 "file to write, whole or not at all; - for stdout")
      ->type_name(kFileType)
      ->default_str("-");
  add_table_options(app, options->table);
  app.add_option("--device", options->batch.device, "auto, cpu, cuda or cuda:N")
      ->type_name(kDeviceType)
      ->default_str("auto");
  app.add_flag("--strict", options->batch.strict,
               "end with exit status 4 at the first row that has no score");
  app.add_flag("--plain", options->batch.plain,
               "only score, call and problem, for speed: no probability, percentile, distances");
  app.add_option("--explain", options->batch.explain.file,
                 "file for what each letter of a row adds to its logit (integrated gradients): a "
                 "CSV with line, column, position, residue, attribution")
      ->type_name(kFileType);
  app.add_option("--explain-rows", options->batch.explain.rows,
                 "how many rows to explain, from the first one with a score on")
      ->type_name("ROWS")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->default_str("1000");
  app.add_option("--explain-steps", options->batch.explain.steps,
                 "points between nothing and the row at which gradients are taken")
      ->type_name("STEPS")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000}))
      ->default_str("64");
  add_config_options(app, session, false);
  add_stage_options(app, session, options->pipeline);
  app.callback([&app, &session, options] {
    session.action = [&app, &session, options] { return predict(app, session, *options); };
  });
}

}  // namespace tcrops::cli

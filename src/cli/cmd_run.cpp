#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::cli {
namespace {

const stages::StageOutcome& outcome_of(const std::vector<stages::StageOutcome>& outcomes,
                                       stages::Stage stage) {
  return *std::find_if(outcomes.begin(), outcomes.end(),
                       [&](const stages::StageOutcome& o) { return o.stage == stage; });
}

// What was set on this command line, so that a suggested command means the same pipeline.
std::string repeated_options(const Session& session) {
  std::string text;
  for (const std::string& assignment : session.assignments) {
    if (assignment.starts_with("seed=")) continue;
    const bool plain =
        assignment.find_first_of(" '\"\\$`*?[]{}()<>|&;#~!\t\n") == std::string::npos;
    text += plain ? " --set " + assignment : " --set '" + assignment + "'";
  }
  return text;
}

std::string summary(const Session& session, const std::vector<stages::StageOutcome>& outcomes) {
  using stages::Stage;
  const auto& model = outcome_of(outcomes, Stage::kTrain);
  const auto& name = session.config.name;
  const std::string store =
      session.store_path == kDefaultStore ? "" : " --store " + session.store_path;
  std::string text = stage_table(outcomes) + "\n";
  text += stage_text(outcome_of(outcomes, Stage::kPreprocess));
  if (session.config.train.from == "study")
    text += "\n" + stage_text(outcome_of(outcomes, Stage::kTune));
  text += "\n" + stage_text(model);
  text += "\n" + stage_text(outcome_of(outcomes, Stage::kEvaluate));
  text += "\nserve-check: all checks passed\n" + stage_text(outcome_of(outcomes, Stage::kPredict));
  text += fmt::format("\nmodel: {}.model in {}\n", name, model.artifact.directory.string());
  text += "\nNext, for example:\n";
  text += fmt::format("  {} predict{} --model {}.model --input {}\n", session.program, store, name,
                      model.artifact.file("examples.csv").string());
  text += fmt::format("  {} artifacts show{} {}.evaluation\n", session.program, store, name);
  text += fmt::format("  {} run{} --config {}{} --set seed={}\n", session.program, store,
                      session.config_path, repeated_options(session), session.config.seed + 1);
  return text;
}

int run_pipeline(Session& session, const stages::PipelineOptions& options) {
  session.load_config();
  stages::Pipeline pipeline(session.config, session.open_store(), options);
  pipeline.on_start = announce;
  const auto outcomes = pipeline.run_all();
  Json json = {
      {"schema", "tcrops.run/1"}, {"name", session.config.name}, {"stages", Json::array()}};
  for (const auto& outcome : outcomes) json["stages"].push_back(outcome_json(outcome));
  print_result(session, json, session.json ? "" : summary(session, outcomes));
  return 0;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  add_config_options(app, session, true);
  add_store_option(app, session);
  add_field_flag(app, session, "--device", "train.device");
  add_field_flag(app, session, "--jobs", "tune.jobs");
  add_field_flag(app, session, "--mirror", "fetch.mirror");
  add_output_options(app, session);
  app.callback([&session] { session.action = [&session] { return run_pipeline(session, {}); }; });
}

}  // namespace tcrops::cli

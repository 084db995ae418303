#include "commands.hpp"
#include "plan_report.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::cli {
namespace {

using stages::Stage;

struct Options {
  bool dry_run = false;
  bool force = false;
  bool keep_going = false;
  std::string from;
  std::string until;
};

// The stages to run, and what may be done with them and those before.
struct Range {
  std::vector<Stage> stages;
  stages::PipelineOptions pipeline;
};

Range range_of(const Session& session, const Options& options) {
  const Stage first = options.from.empty() ? Stage::kFetch : stages::stage_from_name(options.from);
  const Stage last =
      options.until.empty() ? Stage::kPredict : stages::stage_from_name(options.until);
  Range range{stages::stages_between(session.config, first, last), {}};
  range.pipeline.keep_going = options.keep_going;
  for (const Stage stage : stages::all_stages()) {
    if (stage < first) range.pipeline.only_reuse.insert(stage);
  }
  if (options.force) range.pipeline.force = {range.stages.begin(), range.stages.end()};
  return range;
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

std::string next_commands(const Session& session, const store::Artifact& model) {
  const auto& name = session.config.name;
  const std::string store =
      session.store_path == kDefaultStore ? "" : " --store " + session.store_path;
  std::string text = fmt::format("\nmodel: {}.model in {}\n", name, model.directory.string());
  text += "\nNext, for example:\n";
  text += fmt::format("  {} predict{} --model {}.model --input {}\n", session.program, store, name,
                      model.file("examples.csv").string());
  text += fmt::format("  {} artifacts show{} {}.evaluation\n", session.program, store, name);
  text += fmt::format("  {} models promote{} {} --config {}\n", session.program, store, name,
                      session.config_path);
  text += fmt::format("  {} run{} --config {}{} --set seed={}\n", session.program, store,
                      session.config_path, repeated_options(session), session.config.seed + 1);
  return text;
}

std::string summary(const Session& session, const std::vector<stages::StageOutcome>& outcomes) {
  std::string text = stage_table(outcomes);
  for (const auto& outcome : outcomes) {
    if (!outcome.artifact || outcome.failure || outcome.stage == Stage::kFetch) continue;
    const bool check = outcome.stage == Stage::kServeCheck;
    text += check ? "\nserve-check: all checks passed\n" : "\n" + stage_text(outcome);
  }
  const auto model = std::find_if(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome.stage == Stage::kTrain && outcome.artifact;
  });
  if (model != outcomes.end()) text += next_commands(session, *model->artifact);
  return text;
}

int dry_run(const Session& session, const Range& range) {
  std::optional<store::Store> store;
  if (session.store_exists()) store = session.open_existing_store();
  const auto planned = stages::plan(session.config, store, range.pipeline, range.stages);
  print_result(session, plan_json(session.config.name, planned), plan_text(planned));
  for (const stages::PlannedStage& stage : planned) {
    if (stage.action != stages::PlannedStage::Action::kMissing) continue;
    throw Error(ExitCode::kArtifact,
                fmt::format("the store has no result of stage {} for this configuration; begin "
                            "with --from {} or earlier",
                            stages::stage_name(stage.stage), stages::stage_name(stage.stage)));
  }
  return 0;
}

// With --keep-going the result has been printed; the first failure is the command's.
void throw_first_failure(const std::vector<stages::StageOutcome>& outcomes) {
  std::optional<Error> first;
  for (const auto& outcome : outcomes) {
    if (!outcome.failure) continue;
    log_warning(fmt::format("stage {} failed", stages::stage_name(outcome.stage)));
    if (!first) first = outcome.failure;
  }
  if (first) throw Error(*first);
}

int run_pipeline(Session& session, const Options& options) {
  session.load_config();
  const Range range = range_of(session, options);
  if (options.dry_run) return dry_run(session, range);
  stages::Pipeline pipeline(session.config, session.open_store(), range.pipeline);
  pipeline.on_start = announce;
  const auto outcomes = pipeline.run_all(range.stages);
  Json json = {
      {"schema", "tcrops.run/1"}, {"name", session.config.name}, {"stages", Json::array()}};
  for (const auto& outcome : outcomes) json["stages"].push_back(outcome_json(outcome));
  print_result(session, json, session.json ? "" : summary(session, outcomes));
  throw_first_failure(outcomes);
  return 0;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  add_config_options(app, session, true);
  app.add_flag("-n,--dry-run", options->dry_run,
               "say what would be run and which changed values are the reason; writes nothing");
  app.add_option("--from", options->from,
                 "begin with this stage; results of those before it must be in the store")
      ->type_name("STAGE");
  app.add_option("--until", options->until, "end with this stage")->type_name("STAGE");
  app.add_flag("--force", options->force,
               "make the stages again although their results are in the store");
  app.add_flag("-k,--keep-going", options->keep_going,
               "when a stage fails, still run those that do not need it");
  add_store_option(app, session);
  add_field_flag(app, session, "--device", "train.device", kDeviceType);
  add_field_flag(app, session, "--jobs", "tune.jobs");
  add_field_flag(app, session, "--mirror", "fetch.mirror", kFolderType);
  add_output_options(app, session);
  app.callback([&session, options] {
    session.action = [&session, options] { return run_pipeline(session, *options); };
  });
}

}  // namespace tcrops::cli

// The commands that run a pipeline up to one stage.
#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

namespace tcrops::cli {

stages::PipelineOptions StageOptions::pipeline(stages::Stage stage) const {
  stages::PipelineOptions options;
  if (force) options.force.insert(stage);
  if (!require_inputs) return options;
  for (const stages::Stage each : stages::all_stages()) {
    if (each != stage) options.only_reuse.insert(each);
  }
  return options;
}

void add_stage_options(CLI::App& app, Session& session, StageOptions& options) {
  app.add_flag(
      "--require-inputs", options.require_inputs,
      "fail with exit status 5 when an earlier stage has no result yet, instead of running it");
  app.add_flag("--force", options.force,
               "run this stage again although its result is in the store");
  add_store_option(app, session);
  add_output_options(app, session);
}

void announce(stages::Stage stage) { log_info(fmt::format("{} …", stages::stage_name(stage))); }

void require_no_pipeline_options(const Session& session, const StageOptions& options) {
  const bool given = !session.config_path.empty() || !session.assignments.empty() ||
                     options.require_inputs || options.force;
  if (!given) return;
  throw Error(ExitCode::kUsage,
              "--model takes the model as it is: leave out --config, --set, --require-inputs and "
              "--force, or leave out --model");
}

int run_stage(Session& session, stages::Stage stage, const StageOptions& options) {
  session.load_config();
  stages::Pipeline pipeline(session.config, session.open_store(), options.pipeline(stage));
  pipeline.on_start = announce;
  const auto outcomes = pipeline.run(stage);
  const auto& last = outcomes.back();
  Json json = outcome_json(last);
  json["schema"] = "tcrops.stage/1";
  const std::string text =
      stage_text(last) + fmt::format("{}: {} {}\n", store::kind_name(last.artifact->manifest.kind),
                                     last.artifact->directory.string(),
                                     last.reused ? "(reused)" : "(made)");
  print_result(session, json, text);
  return 0;
}

void add_stage(CLI::App& app, Session& session) {
  const stages::Stage stage = stages::stage_from_name(app.get_name());
  auto options = std::make_shared<StageOptions>();
  add_config_options(app, session, true);
  if (stage == stages::Stage::kFetch)
    add_field_flag(app, session, "--mirror", "fetch.mirror", kFolderType);
  if (stage == stages::Stage::kPreprocess) {
    add_field_switch(app, session, "--require-leak-free", "preprocess.require_leak_free");
    add_field_switch(app, session, "--strict", "preprocess.strict");
  }
  if (stage == stages::Stage::kTrain) {
    add_field_flag(app, session, "--device", "train.device", kDeviceType);
  }
  add_stage_options(app, session, *options);
  app.callback([&session, stage, options] {
    session.action = [&session, stage, options] { return run_stage(session, stage, *options); };
  });
}

}  // namespace tcrops::cli

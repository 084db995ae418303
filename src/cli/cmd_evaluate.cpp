#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/promotion.hpp>

#include <memory>

namespace tcrops::cli {
namespace {

struct Options {
  std::string model;
  std::string dataset;
  StageOptions stage;
};

int evaluate(Session& session, const Options& options) {
  if (options.model.empty()) {
    if (session.config_path.empty()) {
      throw Error(ExitCode::kUsage,
                  "give --config FILE to judge a pipeline's model, or --model MODEL for any other");
    }
    if (!options.dataset.empty()) {
      throw Error(ExitCode::kUsage, "--dataset goes with --model");
    }
    return run_stage(session, stages::Stage::kEvaluate, options.stage);
  }
  require_no_pipeline_options(session, options.stage);
  session.load_config();
  static_cast<void>(session.open_existing_store());  // judging makes no store
  const auto store = session.open_store();
  const auto model = store.get(options.model);
  const auto dataset =
      options.dataset.empty() ? stages::dataset_of(store, model) : store.get(options.dataset);
  const auto outcome = stages::evaluate_model(store, session.config, model, dataset);
  Json json = outcome_json(outcome);
  json["schema"] = "tcrops.stage/1";
  print_result(session, json, stage_text(outcome));
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "judge this model instead of the pipeline's: viral@v2, viral.model or an id")
      ->type_name(kModelType);
  app.add_option("--dataset", options->dataset,
                 "with --model: on the test rows of this dataset; default: the model's own")
      ->type_name(kArtifactType);
  add_config_options(app, session, false);
  add_field_flag(app, session, "--device", "train.device", kDeviceType);
  add_stage_options(app, session, options->stage);
  app.callback([&session, options] {
    session.action = [&session, options] { return evaluate(session, *options); };
  });
}

}  // namespace tcrops::cli

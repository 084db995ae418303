#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/serve_check.hpp>

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

struct Options {
  std::string model;
  stages::ServeCheckOptions check;
  StageOptions pipeline;
};

// A model that cannot even be found whole is a check that did not pass.
stages::ServeCheckReport check_model(const Session& session, const Options& options) {
  const auto store = session.open_existing_store();
  store::Artifact artifact;
  try {
    artifact = store.get(options.model);
  } catch (const Error& e) {
    if (!store.names().contains(options.model)) throw;
    return {{{"artifact", false, e.what()}}, nullptr};
  }
  return stages::serve_check(store, artifact, options.check);
}

int check(const CLI::App& app, Session& session, const Options& options) {
  if (options.model.empty()) {
    if (session.config_path.empty()) {
      throw Error(ExitCode::kUsage,
                  "give --model MODEL, or --config FILE to check a pipeline's model");
    }
    assign_if_given(app, session, "--device", "train.device");
    assign_if_given(app, session, "--requests", "serve_check.latency_requests");
    assign_if_given(app, session, "--max-p99-ms", "serve_check.max_p99_ms");
    return run_stage(session, stages::Stage::kServeCheck, options.pipeline);
  }
  require_no_pipeline_options(session, options.pipeline);
  const auto report = check_model(session, options);
  std::string text = checks_text(report.checks_json());
  if (report.latency.is_object()) {
    text += fmt::format("single row: median {:.3f} ms, 99 % within {:.3f} ms\n",
                        report.latency.at("median_ms").get<double>(),
                        report.latency.at("p99_ms").get<double>());
  }
  print_result(session,
               {{"schema", "tcrops.serve_check/1"},
                {"passed", report.passed()},
                {"checks", report.checks_json()},
                {"latency", report.latency}},
               text);
  if (!report.passed()) {
    throw Error(ExitCode::kCheckFailed, "serve-check says no; do not serve this model");
  }
  return 0;
}

}  // namespace

void add_serve_check(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "model to check: a name (viral.model) or the first 6 or more digits of an id")
      ->type_name(kModelType);
  app.add_option("--device", options->check.device, "auto, cpu, cuda or cuda:N")
      ->type_name(kDeviceType)
      ->default_str("auto");
  app.add_option("--requests", options->check.latency_requests, "single rows to time")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--max-p99-ms", options->check.max_p99_ms,
                 "fail when the 99th percentile is slower; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  add_config_options(app, session, false);
  add_stage_options(app, session, options->pipeline);
  app.callback([&app, &session, options] {
    session.action = [&app, &session, options] { return check(app, session, *options); };
  });
}

}  // namespace tcrops::cli

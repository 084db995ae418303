#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/serve_check.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::cli {
namespace {

struct Options {
  std::string model;
  stages::ServeCheckOptions check;
  StageOptions pipeline;
};

stages::ServeCheckReport failed(const std::string& check, const std::string& problem) {
  return {{{check, false, problem}}, nullptr, nullptr};
}

bool has_models(const store::Store& store) {
  const auto catalog = store.catalog();
  return std::any_of(catalog.begin(), catalog.end(), [](const store::CatalogEntry& entry) {
    return entry.kind == store::kind_name(store::Kind::kModel);
  });
}

// Why a version of a registered model means nothing; empty when it means an artifact.
std::string why_no_version(const store::Store& store, const std::string& reference) {
  try {
    static_cast<void>(store::Registry(store).resolve(reference));
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

// No model to serve, and one that cannot even be found whole, are checks that did not pass. A
// mistyped name is not.
stages::ServeCheckReport check_model(const Session& session, const Options& options) {
  if (!session.store_exists()) {
    return failed("model", fmt::format("there is no model: {} is no store; train one there, or "
                                       "name the right store with --store",
                                       session.store_path));
  }
  const auto store = session.open_existing_store();
  store::Artifact artifact;
  try {
    artifact = store.get(options.model);
  } catch (const Error& e) {
    if (!has_models(store)) {
      return failed("model", fmt::format("{}: there is no model; `tcrops train` makes one",
                                         store.root().string()));
    }
    const bool is_name = store.names().contains(options.model);
    const bool is_version = options.model.find('@') != std::string::npos;
    if (!is_name && !is_version) throw;
    const std::string missing = is_name ? "" : why_no_version(store, options.model);
    return missing.empty() ? failed("artifact", e.what()) : failed("model", missing);
  }
  return stages::serve_check(store, artifact, options.check);
}

std::string measured_text(const stages::ServeCheckReport& report) {
  std::string text;
  if (report.latency.is_object()) {
    text += fmt::format("single row: median {:.3f} ms, 99 % within {:.3f} ms\n",
                        report.latency.at("median_ms").get<double>(),
                        report.latency.at("p99_ms").get<double>());
  }
  if (report.memory.is_object()) {
    text += fmt::format("memory: {:.0f} MiB\n",
                        report.memory.at("resident_bytes").get<double>() / 1024.0 / 1024.0);
  }
  return text;
}

int check(const CLI::App& app, Session& session, const Options& options) {
  if (options.model.empty()) {
    if (session.config_path.empty()) {
      throw Error(ExitCode::kUsage,
                  "give --model MODEL, or --config FILE to check a pipeline's model");
    }
    assign_if_given(app, session, "--device", "train.device");
    assign_if_given(app, session, "--requests", "serve_check.latency_requests");
    assign_if_given(app, session, "--max-p50-ms", "serve_check.max_p50_ms");
    assign_if_given(app, session, "--max-p99-ms", "serve_check.max_p99_ms");
    assign_if_given(app, session, "--max-memory-mib", "serve_check.max_memory_mib");
    return run_stage(session, stages::Stage::kServeCheck, options.pipeline);
  }
  require_no_pipeline_options(session, options.pipeline);
  const auto report = check_model(session, options);
  print_result(session,
               {{"schema", "tcrops.serve_check/1"},
                {"passed", report.passed()},
                {"checks", report.checks_json()},
                {"latency", report.latency},
                {"memory", report.memory}},
               checks_text(report.checks_json()) + measured_text(report));
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
  app.add_option("--max-p50-ms", options->check.max_p50_ms,
                 "fail when half of the single rows are slower; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-p99-ms", options->check.max_p99_ms,
                 "fail when the 99th percentile is slower; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-memory-mib", options->check.max_memory_mib,
                 "fail when the process holds more MiB with the model in use; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  add_config_options(app, session, false);
  add_stage_options(app, session, options->pipeline);
  app.callback([&app, &session, options] {
    session.action = [&app, &session, options] { return check(app, session, *options); };
  });
}

}  // namespace tcrops::cli

// tune: the stage, or a worker of a study that others share.
#include "commands.hpp"
#include "report.hpp"
#include "stage_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/stages/study.hpp>

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace tcrops::cli {
namespace {

struct Options {
  bool worker = false;
  std::string study_name;
  std::int64_t add = 0;
  StageOptions stage;
};

Json worker_json(const stages::PeerResult& result) {
  return {{"schema", "tcrops.worker/1"},  {"study", result.study.id},
          {"name", result.study.name},    {"place", result.study.place},
          {"ended_here", result.ended},   {"finished", result.study.finished},
          {"trials", result.study.trials}};
}

int report_worker(const Session& session, const stages::PeerResult& result) {
  print_result(session, worker_json(result),
               fmt::format("study {} ({}): {} of {} trials have ended, {} of them here\n",
                           result.study.id.substr(0, 12), result.study.name, result.study.finished,
                           result.study.trials, result.ended));
  return 0;
}

void require_storage(const Session& session) {
  if (!session.config.tune.storage.empty()) return;
  throw Error(ExitCode::kUsage,
              "--worker needs the database that the workers share: --study URL, for example "
              "postgresql://host/tcrops");
}

int work(Session& session, const Options& options) {
  if (options.add > 0 || options.stage.force) {
    throw Error(ExitCode::kUsage,
                "--worker takes the study as it is: leave out --add and --force; the command that "
                "began the study changes its number of trials");
  }
  session.load_config();
  require_storage(session);
  const store::Store store = session.open_store();
  if (!session.config_path.empty()) {
    if (!options.study_name.empty())
      throw Error(ExitCode::kUsage, "--name goes with --worker without --config");
    return report_worker(session,
                         stages::work_as_peer(session.config, store, options.stage.require_inputs));
  }
  const stages::TuneConfig& tune = session.config.tune;
  return report_worker(session,
                       stages::work_as_peer(store, {.url = tune.storage,
                                                    .study = options.study_name,
                                                    .jobs = tune.jobs,
                                                    .device = session.config.train.device,
                                                    .lease_seconds = tune.lease_seconds,
                                                    .patience_seconds = tune.patience_seconds}));
}

// The total that an increment makes.
void add_trials(Session& session, const Options& options) {
  for (const std::string& assignment : session.assignments) {
    if (assignment.starts_with("tune.trials=")) {
      throw Error(ExitCode::kUsage,
                  "--trials says how many trials there are to be in all, --add how many more: give "
                  "one of them");
    }
  }
  session.load_config();
  const std::int64_t so_far =
      stages::trials_so_far(session.config, session.open_store(), options.stage.require_inputs);
  const std::int64_t in_all = so_far + options.add;
  log_info(
      fmt::format("tune: {} trials so far, {} in all; should it be cut off, go on with --trials {}",
                  so_far, in_all, in_all));
  session.assignments.push_back(fmt::format("tune.trials={}", in_all));
}

int run_tune(Session& session, const Options& options) {
  if (options.worker) return work(session, options);
  if (!options.study_name.empty()) throw Error(ExitCode::kUsage, "--name goes with --worker");
  if (session.config_path.empty())
    throw Error(ExitCode::kUsage,
                "--config is required, or --worker --study URL; see `tcrops tune --help`");
  if (options.add > 0) add_trials(session, options);
  session.load_config();
  if (options.stage.force && !session.config.tune.storage.empty()) {
    throw Error(ExitCode::kUsage,
                "--force begins a study from nothing, but the one in the database would go on: "
                "change the seed, or use another database");
  }
  return run_stage(session, stages::Stage::kTune, options.stage);
}

}  // namespace

void add_tune(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  add_config_options(app, session, false);
  add_field_flag(app, session, "--trials", "tune.trials");
  app.add_option("--add", options->add, "so many trials more than the study has, or is to have")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  add_field_flag(app, session, "--jobs", "tune.jobs");
  add_field_flag(app, session, "--device", "train.device", kDeviceType);
  add_field_flag(app, session, "--warm-start", "tune.warm_start");
  add_field_flag(app, session, "--study", "tune.storage", "URL");
  app.add_flag("--worker", options->worker,
               "work on the study in the database until its trials have ended, beside others, and "
               "publish nothing; without --config on the study that is there");
  app.add_option("--name", options->study_name,
                 "with --worker, where the database has several studies: name or id of the one")
      ->type_name("STUDY");
  add_stage_options(app, session, options->stage);
  app.callback([&session, options] {
    session.action = [&session, options] { return run_tune(session, *options); };
  });
}

}  // namespace tcrops::cli

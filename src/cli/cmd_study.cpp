// study: what searches have found, wherever they are.
#include "cmd_artifacts.hpp"
#include "commands.hpp"
#include "report.hpp"
#include "study_report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/study.hpp>
#include <tcrops/tune/optuna_export.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace tcrops::cli {
namespace {

struct Options {
  std::string study;
  std::string url;
  std::int64_t best = 10;
  std::string optuna;
  std::string name;
  bool replace = false;
  bool no_training = false;
  std::string device = "auto";
};

// A database needs no store.
std::optional<store::Store> store_of(const Session& session, const Options& options) {
  if (!options.url.empty() && !session.store_exists()) return std::nullopt;
  return session.open_existing_store();
}

stages::StudyView find(const Session& session, const Options& options) {
  return stages::find_study(store_of(session, options), options.url, options.study);
}

int list(const Session& session, const Options& options) {
  const auto studies = stages::list_studies(store_of(session, options), options.url);
  print_result(session, study_list_json(studies), study_list_text(studies));
  return 0;
}

int show(const Session& session, const Options& options) {
  const stages::StudyView study = find(session, options);
  const Json json = study_json(study);
  print_result(session, json,
               session.json ? "" : study_text(json, static_cast<std::size_t>(options.best)));
  return 0;
}

// SQLAlchemy's way of writing where a database is: three slashes, then the path.
std::string database_of(const std::string& url) {
  constexpr std::string_view kFile = "sqlite:///";
  if (url.starts_with(kFile) && url.size() > kFile.size())
    return "sqlite:" + url.substr(kFile.size());
  if (db::Address{url}.is_postgresql()) return url;
  // It may have a password in it, so it is not repeated.
  throw Error(ExitCode::kUsage,
              "--optuna takes what Optuna takes: sqlite:///FILE, with a fourth slash before an "
              "absolute path, or postgresql://…; this is neither");
}

int export_study(const Session& session, const Options& options) {
  const stages::StudyView study = find(session, options);
  tune::OptunaExportOptions how;
  how.replace = options.replace;
  std::vector<tune::Trial> trials;
  for (const tune::TrialRecord& record : study.records) {
    trials.push_back(record.trial);
    tune::TrialTimes times;
    if (record.started > 0.0) times.started = record.started;
    if (record.finished > 0.0) times.finished = record.finished;
    how.times.push_back(times);
  }
  how.attributes = {{"tcrops_study", study.id},
                    {"objective", study.configuration.at("tune").at("objective")},
                    {"dataset", study.dataset}};
  const std::string name = !options.name.empty() ? options.name
                           : !study.name.empty() ? study.name
                                                 : study.id.substr(0, 12);
  db::Database database = db::Database::open(db::address(database_of(options.optuna)));
  tune::export_to_optuna(database, name, study.space, trials, how);
  print_result(session,
               {{"schema", "tcrops.study_export/1"},
                {"study", study.id},
                {"name", name},
                {"trials", trials.size()},
                {"database", database.address().shown()}},
               fmt::format("{} trials of study {} are \"{}\" in {}\n", trials.size(),
                           study.id.substr(0, 12), name, database.address().shown()));
  return 0;
}

int replay(const Session& session, const Options& options) {
  const stages::StudyView study = find(session, options);
  std::optional<store::Store> store;
  if (!options.no_training) store = session.open_claiming_store();
  const auto ended =
      std::count_if(study.records.begin(), study.records.end(),
                    [](const auto& each) { return each.phase == tune::Phase::kEnded; });
  stages::ReplayOptions how;
  how.train = !options.no_training;
  how.device = options.device;
  Progress progress("replay", static_cast<std::uint64_t>(ended), "trials");
  how.progress = [&](std::int64_t done) { progress.update(static_cast<std::uint64_t>(done)); };
  const auto problems = stages::replay_study(store, study, how);
  Json json = {{"schema", "tcrops.study_replay/1"},
               {"study", study.id},
               {"trials", ended},
               {"trained", how.train},
               {"same", problems.empty()},
               {"problems", Json::array()}};
  std::string text =
      fmt::format("{} trials of study {}: {}\n", ended, study.id.substr(0, 12),
                  !problems.empty() ? "NOT the same"
                  : how.train ? "every suggestion, decision and result is the same, bit by bit"
                              : "every suggestion and decision is the same");
  for (const tune::ReplayProblem& problem : problems) {
    json["problems"].push_back({{"trial", problem.number}, {"problem", problem.problem}});
    text += fmt::format("  trial {}: {}\n", problem.number, problem.problem);
  }
  print_result(session, json, text);
  return static_cast<int>(problems.empty() ? ExitCode::kOk : ExitCode::kCheckFailed);
}

void add_study_options(CLI::App& app, const std::shared_ptr<Options>& options) {
  app.add_option("study", options->study,
                 "study: viral.study or an id; with --study URL, or while it is half done, the "
                 "pipeline's name or an id; may be left out where there is only one")
      ->type_name(kArtifactType);
  app.add_option("--study", options->url, "database that has it, instead of the store")
      ->type_name("URL");
}

}  // namespace

void add_study(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  const auto command = [&](const char* name, const char* help,
                           int (*body)(const Session&, const Options&)) -> CLI::App& {
    auto options = std::make_shared<Options>();
    CLI::App& sub = add_store_command(app, session, name, help);
    if (std::string_view(name) == "list") {
      sub.add_option("--study", options->url, "database to look into, instead of the store")
          ->type_name("URL");
    } else {
      add_study_options(sub, options);
    }
    if (std::string_view(name) == "show") {
      sub.add_option("--best", options->best, "trials to show, best first")
          ->type_name("N")
          ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
    } else if (std::string_view(name) == "export") {
      sub.add_option("--optuna", options->optuna,
                     "write Optuna's own tables into sqlite:///FILE or postgresql://…")
          ->type_name("URL")
          ->required();
      sub.add_option("--as", options->name, "name of the study there; default: the pipeline's")
          ->type_name("TEXT");
      sub.add_flag("--replace", options->replace, "a study of that name is deleted first");
    } else if (std::string_view(name) == "replay") {
      sub.add_flag("--no-training", options->no_training,
                   "only what was suggested and pruned, which takes a moment");
      sub.add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
          ->type_name(kDeviceType);
    }
    sub.callback([&session, options, body] {
      session.action = [&session, options, body] { return body(session, *options); };
    });
    return sub;
  };
  command("list", "all studies: published, half done, or in a database", list);
  command("show", "trials, best so far, importance of the parameters, what was pruned", show);
  command("export", "write a study into Optuna's own tables, for its plots and dashboard",
          export_study);
  command(
      "replay",
      "repeat a study from what each trial had seen, and compare bit by bit; exit status 6 when "
      "it differs",
      replay);
}

}  // namespace tcrops::cli

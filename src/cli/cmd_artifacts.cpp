#include "commands.hpp"
#include "report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

int list(const Session& session) {
  const auto store = session.open_existing_store();
  std::map<std::string, std::string> names;
  for (const auto& [name, id] : store.names()) names[id] += (names[id].empty() ? "" : ", ") + name;
  Json json = {{"schema", "tcrops.artifacts/1"}, {"artifacts", Json::array()}};
  std::vector<std::vector<std::string>> rows;
  for (const std::string& id : store.list()) {
    try {
      const auto artifact = store.get(id);
      const std::string kind = store::kind_name(artifact.manifest.kind);
      json["artifacts"].push_back({{"id", id},
                                   {"kind", kind},
                                   {"stage", artifact.manifest.stage},
                                   {"names", names[id]},
                                   {"damaged", false}});
      rows.push_back({artifact.short_id(), kind, artifact.manifest.stage, names[id]});
    } catch (const Error&) {
      json["artifacts"].push_back({{"id", id},
                                   {"kind", nullptr},
                                   {"stage", nullptr},
                                   {"names", names[id]},
                                   {"damaged", true}});
      rows.push_back({id.substr(0, 12), "DAMAGED", "", names[id]});
    }
  }
  print_result(session, json, format_table({"id", "kind", "stage", "name"}, rows));
  return 0;
}

int show(const Session& session, const std::string& reference) {
  const auto store = session.open_existing_store();
  const auto artifact = store.get(reference);
  const Json manifest = store::to_json(artifact.manifest);
  const Json json = {{"schema", "tcrops.artifact/1"},
                     {"id", artifact.id},
                     {"path", artifact.directory.string()},
                     {"manifest", manifest}};
  std::string text = fmt::format("id: {}\npath: {}\n", artifact.id, artifact.directory.string());
  stages::StageOutcome outcome;
  outcome.artifact = artifact;
  text += "\n";
  // A model kept by a study has other facts than one made by train.
  const bool summarised =
      artifact.manifest.kind != store::Kind::kModel || artifact.manifest.stage == "train";
  if (summarised) text += stage_text(outcome) + "\n";
  text += canonical_json(manifest);
  print_result(session, json, text);
  return 0;
}

int verify(const Session& session) {
  const auto store = session.open_existing_store();
  Progress progress("verify", store.list().size(), "artifacts");
  const auto problems = store.verify([&](std::size_t done, std::size_t) { progress.update(done); });
  Json json = {{"schema", "tcrops.verify/1"},
               {"artifacts", store.list().size()},
               {"problems", Json::array()}};
  std::string text;
  for (const auto& problem : problems) {
    json["problems"].push_back({{"id", problem.id}, {"problem", problem.problem}});
    text += fmt::format("{} {}\n", problem.id.empty() ? "store" : problem.id.substr(0, 12),
                        problem.problem);
  }
  if (problems.empty())
    text = fmt::format("{} artifacts, every hash is right\n", store.list().size());
  print_result(session, json, text);
  if (problems.empty()) return 0;
  throw Error(
      ExitCode::kArtifact,
      fmt::format("{} problems in {}; delete the folder of a damaged artifact and run its stage "
                  "again",
                  problems.size(), store.root().string()));
}

CLI::App& add_sub(CLI::App& app, Session& session, const std::string& name,
                  const std::string& help) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->group("Commands");
  add_store_option(*sub, session);
  add_output_options(*sub, session);
  return *sub;
}

}  // namespace

void add_artifacts(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  add_sub(app, session, "ls", "list all artifacts").callback([&session] {
    session.action = [&session] { return list(session); };
  });
  auto reference = std::make_shared<std::string>();
  CLI::App& shown = add_sub(app, session, "show", "what an artifact is made of and what it says");
  shown
      .add_option("artifact", *reference,
                  "name (viral.model) or the first 6 or more digits of an id")
      ->required();
  shown.callback([&session, reference] {
    session.action = [&session, reference] { return show(session, *reference); };
  });
  add_sub(app, session, "verify", "hash every file again; exit status 5 when one differs")
      .callback([&session] { session.action = [&session] { return verify(session); }; });
}

}  // namespace tcrops::cli

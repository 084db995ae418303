#include "cmd_artifacts.hpp"

#include "commands.hpp"
#include "report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <memory>

namespace tcrops::cli {
namespace {

struct ListFilter {
  std::string kind;
  std::size_t last = 0;  // 0: all
};

// From the store's log: no manifest is opened, so that a large store answers at once.
int list(const Session& session, const ListFilter& filter) {
  const auto store = session.open_existing_store();
  if (!filter.kind.empty()) {
    try {
      static_cast<void>(store::kind_from_name(filter.kind));
    } catch (const Error& e) {
      throw Error(ExitCode::kUsage, e.what());
    }
  }
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& [name, id] : store.names()) names[id].push_back(name);
  auto entries = store.catalog();
  std::erase_if(entries,
                [&](const auto& e) { return !filter.kind.empty() && e.kind != filter.kind; });
  if (filter.last > 0 && entries.size() > filter.last) {
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(filter.last));
  }
  Json json = {{"schema", "tcrops.artifacts/1"}, {"artifacts", Json::array()}};
  Json& listed = json["artifacts"];
  std::vector<std::vector<std::string>> rows;
  for (const store::CatalogEntry& entry : entries) {
    const bool damaged = entry.kind.empty();
    const auto at = names.find(entry.id);
    const auto called = at == names.end() ? std::vector<std::string>() : at->second;
    if (session.json) {
      Json item;  // member by member: a list of pairs would copy each of them
      item["id"] = entry.id;
      item["kind"] = damaged ? Json() : Json(entry.kind);
      item["stage"] = damaged ? Json() : Json(entry.stage);
      item["names"] = called;
      item["published"] = entry.time.empty() ? Json() : Json(entry.time);
      item["bytes"] = entry.bytes;
      item["parents"] = entry.parents;
      item["damaged"] = damaged;
      listed.push_back(std::move(item));
    } else {
      rows.push_back({shown_id(entry.id), damaged ? "DAMAGED" : entry.kind, entry.stage, entry.time,
                      shown_size(entry.bytes), fmt::format("{}", fmt::join(called, ", "))});
    }
  }
  print_result(
      session, json,
      session.json ? "" : format_table({"id", "kind", "stage", "published", "size", "name"}, rows));
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
      fmt::format("{} in {}; delete the folder of a damaged artifact and run its stage "
                  "again",
                  problems.size() == 1 ? "1 problem" : fmt::format("{} problems", problems.size()),
                  store.root().string()));
}

}  // namespace

CLI::App& add_store_command(CLI::App& app, Session& session, const std::string& name,
                            const std::string& help) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->group("Commands");
  add_store_option(*sub, session);
  add_output_options(*sub, session);
  return *sub;
}

std::string shown_size(std::uint64_t bytes) {
  constexpr double kKilo = 1000.0;
  const auto amount = static_cast<double>(bytes);
  if (amount < kKilo) return fmt::format("{} B", bytes);
  if (amount < kKilo * kKilo) return fmt::format("{:.1f} kB", amount / kKilo);
  return fmt::format("{:.1f} MB", amount / kKilo / kKilo);
}

std::string shown_id(const std::string& id) {
  constexpr std::size_t kDigits = 12;
  return id.substr(0, kDigits);
}

void add_artifacts(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  auto filter = std::make_shared<ListFilter>();
  CLI::App& listed = add_store_command(app, session, "ls", "list the artifacts, oldest first");
  listed.add_option("--kind", filter->kind, "only this kind: raw, dataset, model, …")
      ->type_name("KIND");
  listed.add_option("--last", filter->last, "only the newest so many")->type_name("NUMBER");
  listed.callback([&session, filter] {
    session.action = [&session, filter] { return list(session, *filter); };
  });
  auto reference = std::make_shared<std::string>();
  CLI::App& shown =
      add_store_command(app, session, "show", "what an artifact is made of and what it says");
  shown.add_option("artifact", *reference, kReferenceHelp)->type_name(kArtifactType)->required();
  shown.callback([&session, reference] {
    session.action = [&session, reference] { return show(session, *reference); };
  });
  add_store_command(app, session, "verify", "hash every file again; exit status 5 when one differs")
      .callback([&session] { session.action = [&session] { return verify(session); }; });
  add_artifacts_lineage(app, session);
  add_artifacts_diff(app, session);
  add_artifacts_gc(app, session);
  add_artifacts_export(app, session);
  add_artifacts_import(app, session);
}

}  // namespace tcrops::cli

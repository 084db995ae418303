#include "cmd_artifacts.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/store/archive.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tcrops::cli {
namespace {

struct ImportRequest {
  std::string file;
  std::string name;
  bool allow_missing_ancestors = false;
};

}  // namespace

void require_artifact_name(const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const bool is_plain =
      !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), is_allowed);
  if (is_plain && name.find_first_not_of("0123456789abcdef") != std::string::npos) return;
  throw Error(ExitCode::kUsage,
              fmt::format("--as \"{}\": a name holds letters, digits, - _ and . and is no number, "
                          "for example viral.model",
                          name));
}

namespace {

Json artifacts_json(const std::vector<store::ArchivedArtifact>& artifacts) {
  Json json = Json::array();
  for (const store::ArchivedArtifact& artifact : artifacts) {
    json.push_back({{"id", artifact.id}, {"kind", artifact.kind}});
  }
  return json;
}

int import_artifacts(const Session& session, const ImportRequest& request) {
  if (!request.name.empty()) require_artifact_name(request.name);
  store::ArchiveReader reader(request.file);
  const auto& roots = reader.roots();
  const bool one_root = std::all_of(roots.begin(), roots.end(),
                                    [&](const auto& root) { return root.id == roots[0].id; });
  if (!request.name.empty() && !one_root) {
    throw Error(ExitCode::kUsage,
                fmt::format("--as names one artifact, and {} was made for {}; import it without, "
                            "and nothing is named",
                            request.file, roots.size()));
  }
  const auto store = session.open_store();
  std::unique_ptr<Progress> progress;
  store::ImportOptions options{.allow_missing_ancestors = request.allow_missing_ancestors};
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (!progress) progress = std::make_unique<Progress>("import", total, "bytes");
    progress->update(done);
  };
  const store::ImportResult result = reader.import_into(store, options);
  if (!request.name.empty()) store.set_name(request.name, roots[0].id);
  progress.reset();
  Json json = {{"schema", "tcrops.import/1"},
               {"roots", Json::array()},
               {"added", artifacts_json(result.added)},
               {"present", artifacts_json(result.present)},
               {"name", request.name.empty() ? Json() : Json(request.name)}};
  std::string text;
  for (const store::ArchiveRoot& root : roots) {
    json["roots"].push_back({{"reference", root.reference}, {"id", root.id}});
    text += fmt::format("{} {}\n", root.id, root.reference);
  }
  text += fmt::format("{} artifacts added, {} were there already\n", result.added.size(),
                      result.present.size());
  if (!request.name.empty()) text += fmt::format("{} means {}\n", request.name, roots[0].id);
  print_result(session, json, text);
  return 0;
}

}  // namespace

void add_artifacts_import(CLI::App& app, Session& session) {
  CLI::App& sub = add_store_command(
      app, session, "import", "take the artifacts of an exported file into the store, verified");
  auto request = std::make_shared<ImportRequest>();
  sub.add_option("file", request->file, "archive written by export; - for stdin")
      ->type_name(kFileType)
      ->required();
  sub.add_option("--as", request->name, "a name for the artifact that was exported")
      ->type_name("TEXT");
  sub.add_flag("--allow-missing-ancestors", request->allow_missing_ancestors,
               "take artifacts whose ancestors are nowhere; `artifacts verify` will miss them");
  sub.callback([&session, request] {
    session.action = [&session, request] { return import_artifacts(session, *request); };
  });
}

}  // namespace tcrops::cli

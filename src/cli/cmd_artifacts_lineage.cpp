#include "cmd_artifacts.hpp"
#include "lineage_report.hpp"
#include "queries_report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/serve/queries.hpp>
#include <tcrops/store/lineage.hpp>

#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>

namespace tcrops::cli {
namespace {

struct LineageOptions {
  std::string reference;
  std::string log;
  std::string format = "tree";
  bool down = false;
};

// A request that a server has answered, before the model that answered it.
store::Lineage lineage_of(const store::Store& store, const serve::QueryDetail& detail, bool down) {
  const serve::LoggedQuery& query = detail.query;
  store::Lineage lineage{query.id, {}, {}};
  store::LineageNode request;
  request.id = query.id;
  request.kind = kQueryKind;
  request.stage = "serve";
  request.run = {{"finished", shown_time(query.time)}, {kQueryKind, serve::to_json(query)}};
  lineage.nodes.push_back(std::move(request));
  // Nothing is made from it; and before one that was refused there was no model.
  if (down || query.artifact.empty()) return lineage;
  store::Lineage model = store::ancestors_of(store, query.artifact);
  lineage.edges.push_back({query.artifact, query.id, "model"});
  std::move(model.nodes.begin(), model.nodes.end(), std::back_inserter(lineage.nodes));
  std::move(model.edges.begin(), model.edges.end(), std::back_inserter(lineage.edges));
  return lineage;
}

store::Lineage find_lineage(const store::Store& store, const LineageOptions& options) {
  const std::filesystem::path file = options.log.empty() ? serve::default_query_log(store.root())
                                                         : std::filesystem::path(options.log);
  try {
    const std::string id = store.get(options.reference).id;
    return options.down ? store::descendants_of(store, id) : store::ancestors_of(store, id);
  } catch (const Error& e) {
    const serve::QueryReader reader(file);
    if (e.code() != ExitCode::kArtifact || !reader.exists()) throw;
    const auto detail = reader.find(options.reference);
    if (!detail) throw;
    return lineage_of(store, *detail, options.down);
  }
}

int show_lineage(Session& session, const LineageOptions& options) {
  if (session.json && options.format == "dot") {
    throw Error(ExitCode::kUsage, "--json and --format dot ask for two forms; give one of them");
  }
  session.json = session.json || options.format == "json";
  const auto store = session.open_existing_store();
  const store::Lineage lineage = find_lineage(store, options);
  std::string text;
  if (options.format == "dot") {
    text = lineage_dot(lineage);
  } else if (!session.json) {
    text = lineage_tree(lineage, options.down);
  }
  print_result(session, lineage_json(lineage), text);
  const auto problems = std::count_if(lineage.nodes.begin(), lineage.nodes.end(),
                                      [](const auto& node) { return !node.problem.empty(); });
  if (problems == 0) return 0;
  throw Error(
      ExitCode::kArtifact,
      fmt::format("{} of {} artifacts are missing or damaged; delete the folder of a damaged "
                  "one and run its stage again, or import it from another store",
                  problems, lineage.nodes.size()));
}

}  // namespace

void add_artifacts_lineage(CLI::App& app, Session& session) {
  CLI::App& sub =
      add_store_command(app, session, "lineage",
                        "what an artifact, or the answer to a request, was made from, back to the "
                        "files it began with");
  auto options = std::make_shared<LineageOptions>();
  sub.add_option("artifact", options->reference,
                 fmt::format("{}; or the X-Request-Id of an answer", kReferenceHelp))
      ->type_name(kArtifactType)
      ->required();
  sub.add_option("--log", options->log,
                 "the query log that has the request, instead of queries.sqlite in the store")
      ->type_name(kFileType);
  sub.add_option("--format", options->format, "tree, dot (for Graphviz) or json")
      ->type_name("FORM")
      ->check(CLI::IsMember({"tree", "dot", "json"}))
      ->capture_default_str();
  sub.add_flag("--down", options->down, "what was made from it instead");
  sub.callback([&session, options] {
    session.action = [&session, options] { return show_lineage(session, *options); };
  });
}

}  // namespace tcrops::cli

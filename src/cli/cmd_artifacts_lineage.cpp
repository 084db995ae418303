#include "cmd_artifacts.hpp"
#include "lineage_report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/store/lineage.hpp>

#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tcrops::cli {
namespace {

struct LineageOptions {
  std::string reference;
  std::string format = "tree";
  bool down = false;
};

int show_lineage(Session& session, const LineageOptions& options) {
  if (session.json && options.format == "dot") {
    throw Error(ExitCode::kUsage, "--json and --format dot ask for two forms; give one of them");
  }
  session.json = session.json || options.format == "json";
  const auto store = session.open_existing_store();
  const std::string id = store.get(options.reference).id;
  const store::Lineage lineage =
      options.down ? store::descendants_of(store, id) : store::ancestors_of(store, id);
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
  CLI::App& sub = add_store_command(
      app, session, "lineage", "what an artifact was made from, back to the files it began with");
  auto options = std::make_shared<LineageOptions>();
  sub.add_option("artifact", options->reference, kReferenceHelp)
      ->type_name(kArtifactType)
      ->required();
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

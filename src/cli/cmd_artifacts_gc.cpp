#include "cmd_artifacts.hpp"

#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/gc.hpp>

#include <fmt/format.h>

#include <memory>

namespace tcrops::cli {
namespace {

struct Options {
  store::GcRoots roots;
  store::GcOptions gc;
};

Json items_json(const std::vector<store::GcItem>& items) {
  Json json = Json::array();
  for (const store::GcItem& item : items) {
    json.push_back({{"id", item.id},
                    {"kind", item.kind.empty() ? Json() : Json(item.kind)},
                    {"bytes", item.bytes},
                    {"why", item.why.empty() ? Json() : Json(item.why)}});
  }
  return json;
}

std::string items_table(const std::vector<store::GcItem>& items, const char* last_column) {
  std::vector<std::vector<std::string>> rows;
  for (const store::GcItem& item : items) {
    rows.push_back({shown_id(item.id), item.kind.empty() ? "DAMAGED" : item.kind,
                    shown_size(item.bytes), item.why.empty() ? "no root needs it" : item.why});
  }
  return format_table({"id", "kind", "size", last_column}, rows);
}

std::string report_text(const store::GcReport& report, bool removed) {
  std::string text;
  if (!report.kept.empty()) text += items_table(report.kept, "kept because") + "\n";
  if (!report.removed.empty())
    text += items_table(report.removed, removed ? "removed because" : "would be removed because") +
            "\n";
  for (const std::string& name : report.names)
    text += fmt::format("the name {} goes with what it means\n", name);
  for (const std::string& key : report.work)
    text += fmt::format("half-done work {} goes\n", shown_id(key));
  for (const std::string& key : report.work_kept)
    text +=
        fmt::format("half-done work {} stays (--work removes what nobody uses)\n", shown_id(key));
  for (const std::string& file : report.left_behind)
    text += fmt::format("left behind by a killed process: {}\n", file);
  text += fmt::format("{} artifacts kept; {} {}, {}\n", report.kept.size(), report.removed.size(),
                      removed ? "removed" : "would be removed", shown_size(report.bytes));
  if (!removed) text += "nothing was removed; the same command with --delete does it\n";
  return text;
}

int collect(const Session& session, const Options& options) {
  const auto report = store::collect_garbage(session.store_path, options.roots, options.gc);
  print_result(session,
               {{"schema", "tcrops.gc/1"},
                {"removed_now", options.gc.remove},
                {"kept", items_json(report.kept)},
                {"removed", items_json(report.removed)},
                {"bytes", report.bytes},
                {"names", report.names},
                {"work", report.work},
                {"work_kept", report.work_kept},
                {"left_behind", report.left_behind}},
               report_text(report, options.gc.remove));
  return 0;
}

}  // namespace

void add_artifacts_gc(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App& sub = add_store_command(
      app, session, "gc",
      "remove what nothing needs; says what and why, and removes only with --delete");
  sub.add_flag("--keep-names", options->roots.names, "keep everything that has a name");
  sub.add_flag("--keep-models", options->roots.models,
               "keep every version of every registered model (those with an alias stay anyway)");
  sub.add_option("--keep-last", options->roots.last, "keep the newest so many of each kind")
      ->check(CLI::NonNegativeNumber)
      ->type_name("NUMBER");
  sub.add_option("--keep-newer", options->roots.newer_days,
                 "keep what was published within so many days")
      ->check(CLI::NonNegativeNumber)
      ->type_name("DAYS");
  sub.add_option("--keep", options->roots.references, "keep this artifact; may be repeated")
      ->type_name(kArtifactType)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sub.add_flag("--work", options->gc.work,
               "also remove half-done work that no running command uses");
  sub.add_flag("--delete", options->gc.remove, "really remove");
  sub.callback([&session, options] {
    session.action = [&session, options] { return collect(session, *options); };
  });
}

}  // namespace tcrops::cli

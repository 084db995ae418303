#include "cmd_artifacts.hpp"
#include "cmd_artifacts_diff_moved.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/diff.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace tcrops::cli {
namespace {

struct DiffOptions {
  std::string was;
  std::string now;
  bool exit_code = false;
};

constexpr std::size_t kLongestCell = 40;

// One line of a table: control characters are escaped, and what is long is cut.
std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  std::string text = value.dump();
  if (value.is_number_float()) text = fmt::format("{:.6g}", value.get<double>());
  if (text.size() <= kLongestCell) return text;
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  std::size_t end = kLongestCell;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // inside a character
  return text.substr(0, end) + "…";
}

std::string id_cell(const Json& id) {
  return id.is_string() ? shown_id(id.get<std::string>()) : cell(id);
}

std::string difference(const JsonDifference& field) {
  if (!field.was.is_number() || !field.now.is_number()) return "";
  return fmt::format("{:+.6g}", field.now.get<double>() - field.was.get<double>());
}

std::string file_cell(const Json& file) {
  if (file.is_null()) return "-";
  return fmt::format("{} bytes, {}", file.at("bytes").dump(),
                     shown_id(file.at("sha256").get<std::string>()));
}

std::string place(const store::Cause& cause) {
  return cause.at.empty() ? "itself" : fmt::format("{}", fmt::join(cause.at, " > "));
}

std::string headline(const char* letter, const store::Artifact& artifact) {
  return fmt::format("{}: {} {}, {} v{}\n", letter, artifact.short_id(),
                     store::kind_name(artifact.manifest.kind), artifact.manifest.stage,
                     artifact.manifest.stage_version);
}

std::string diff_text(const store::Artifact& was, const store::Artifact& now,
                      const store::ArtifactDiff& diff,
                      const std::optional<data::ProfileChange>& moved) {
  std::string text = headline("a", was) + headline("b", now);
  if (diff.same) return text + "the same artifact\n";
  std::vector<std::vector<std::string>> rows;
  for (const JsonDifference& field : diff.fields) {
    const bool is_id = field.path.starts_with("parents.");
    rows.push_back({field.path, is_id ? id_cell(field.was) : cell(field.was),
                    is_id ? id_cell(field.now) : cell(field.now), difference(field)});
  }
  if (!rows.empty()) text += "\n" + format_table({"field", "a", "b", "b - a"}, rows);
  rows.clear();
  for (const store::FileDifference& file : diff.files) {
    rows.push_back({file.name, file_cell(file.was), file_cell(file.now)});
  }
  if (!rows.empty()) text += "\n" + format_table({"file", "a", "b"}, rows);
  text += fmt::format("{} files are equal\n", diff.equal_files);
  rows.clear();
  for (const store::Cause& cause : diff.causes) {
    rows.push_back({place(cause), cause.difference.path, cell(cause.difference.was),
                    cell(cause.difference.now)});
  }
  if (!rows.empty()) text += "\nBecause of\n" + format_table({"at", "field", "a", "b"}, rows);
  if (moved) text += "\n" + moved_text(*moved);
  for (const std::string& problem : diff.not_followed) {
    text += fmt::format("cannot look further upstream: {}\n", problem);
  }
  return text;
}

Json difference_json(const JsonDifference& field) {
  return {{"path", field.path}, {"a", field.was}, {"b", field.now}};
}

Json diff_json(const store::Artifact& was, const store::Artifact& now,
               const store::ArtifactDiff& diff, const std::optional<data::ProfileChange>& moved) {
  Json json = {{"schema", "tcrops.diff/1"},
               {"a", was.id},
               {"b", now.id},
               {"same", diff.same},
               {"fields", Json::array()},
               {"files", Json::array()},
               {"equal_files", diff.equal_files},
               {"causes", Json::array()},
               {"not_followed", diff.not_followed},
               {"moved", moved ? to_json(*moved) : Json(nullptr)}};
  for (const JsonDifference& field : diff.fields) json["fields"].push_back(difference_json(field));
  for (const store::FileDifference& file : diff.files) {
    json["files"].push_back({{"name", file.name}, {"a", file.was}, {"b", file.now}});
  }
  for (const store::Cause& cause : diff.causes) {
    Json entry = difference_json(cause.difference);
    entry["at"] = cause.at;
    json["causes"].push_back(std::move(entry));
  }
  return json;
}

int show_diff(const Session& session, const DiffOptions& options) {
  const auto store = session.open_existing_store();
  const store::Artifact was = store.get(options.was);
  const store::Artifact now = store.get(options.now);
  const store::ArtifactDiff diff = store::compare(store, was, now);
  const auto moved = what_moved(store, was, now);
  print_result(session, diff_json(was, now, diff, moved), diff_text(was, now, diff, moved));
  return options.exit_code && !diff.same ? static_cast<int>(ExitCode::kFailure) : 0;
}

}  // namespace

void add_artifacts_diff(CLI::App& app, Session& session) {
  CLI::App& sub = add_store_command(
      app, session, "diff", "what differs between two artifacts, and which input is the reason");
  auto options = std::make_shared<DiffOptions>();
  sub.add_option("a", options->was, kReferenceHelp)->type_name(kArtifactType)->required();
  sub.add_option("b", options->now, "the other one")->type_name(kArtifactType)->required();
  sub.add_flag("--exit-code", options->exit_code, "exit status 1 when they differ");
  sub.callback([&session, options] {
    session.action = [&session, options] { return show_diff(session, *options); };
  });
}

}  // namespace tcrops::cli

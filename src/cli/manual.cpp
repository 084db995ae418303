// The reference for programs and for Markdown; manual_page.cpp has it for man.
#include "manual.hpp"

#include "shapes.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <array>

namespace tcrops::cli {
namespace {

constexpr std::size_t kHelpWidth = 100;

constexpr std::array kVariables = {
    Variable{"TCROPS_STORE", "folder of all artifacts, where --store is not given"},
    Variable{"TCROPS_<SECTION>_<KEY>",
             "a value of the configuration, as in TCROPS_TRAIN_EPOCHS=30, or TCROPS_SEED=7 for a "
             "key without a section; stronger than the pipeline file, weaker than --set"},
    Variable{"NO_COLOR", "when set, messages on a terminal have no colour"},
};

std::string markdown_commands(const CommandInfo& program) {
  std::string out = "| command | what it does |\n| --- | --- |\n";
  for (const CommandInfo& command : program.commands) {
    std::string subs;
    for (const CommandInfo& sub : command.commands) subs += (subs.empty() ? " " : "\\|") + sub.name;
    out += fmt::format("| `{}{}` | {} |\n", command.name, subs, command.summary);
  }
  return out;
}

std::string markdown_exit_statuses() {
  std::string out = "| status | what | when |\n| --- | --- | --- |\n";
  for (const ExitStatus& status : exit_statuses()) {
    out += fmt::format("| {} | {} | {} |\n", static_cast<int>(status.code), status.name,
                       status.detail);
  }
  return out;
}

std::string markdown_results() {
  std::string out = "| schema | printed by | key | what |\n| --- | --- | --- | --- |\n";
  for (const Shape& shape : shapes()) {
    std::string schema = shape.schema.empty() ? "" : fmt::format("`{}`", shape.schema);
    std::string_view command = shape.command;
    for (const Key& key : shape.keys) {
      out += fmt::format("| {} | {} | `{}` | {} |\n", schema, command, key.name, key.meaning);
      schema.clear();
      command = "";
    }
  }
  return out;
}

Json configuration_json(const FieldTable& fields) {
  Json list = Json::array();
  for (const Field& field : fields.fields()) {
    list.push_back({{"key", field.path()},
                    {"meaning", field.help},
                    {"type", field.type},
                    {"unit", field.unit},
                    {"range", range_text(field)},
                    {"choices", field.choices},
                    {"default", field.default_value}});
  }
  return list;
}

Json results_json() {
  Json list = Json::array();
  for (const Shape& shape : shapes()) {
    Json keys = Json::object();
    for (const Key& key : shape.keys) keys[std::string(key.name)] = key.meaning;
    list.push_back({{"schema", shape.schema}, {"command", shape.command}, {"keys", keys}});
  }
  return list;
}

}  // namespace

std::span<const Variable> environment_variables() { return kVariables; }

std::string exit_status_lines() {
  std::string out = "Exit status:";
  std::size_t width = out.size();
  bool first = true;
  for (const ExitStatus& status : exit_statuses()) {
    if (!status.used) continue;
    if (!first) out += ",";
    first = false;
    const std::string item = fmt::format("{} {}", static_cast<int>(status.code), status.name);
    const bool fits = width + item.size() + 2 <= kHelpWidth;
    out += (fits ? " " : "\n") + item;
    width = (fits ? width + 2 : 0) + item.size();
  }
  return out;
}

std::string markdown_table(const std::string& which, const CommandInfo& program) {
  if (which == kMarkdownTables[0]) return markdown_commands(program);
  if (which == kMarkdownTables[1]) return markdown_exit_statuses();
  return markdown_results();
}

Json manual_json(const CommandInfo& program, const FieldTable& fields) {
  Json json = {{"schema", "tcrops.man/1"},
               {"commands", to_json(program).at("commands")},
               {"configuration", configuration_json(fields)},
               {"environment", Json::array()},
               {"exit_statuses", Json::array()},
               {"results", results_json()}};
  for (const Variable& variable : environment_variables()) {
    json["environment"].push_back({{"name", variable.name}, {"meaning", variable.meaning}});
  }
  for (const ExitStatus& status : exit_statuses()) {
    json["exit_statuses"].push_back({{"status", static_cast<int>(status.code)},
                                     {"name", status.name},
                                     {"detail", status.detail},
                                     {"used", status.used}});
  }
  return json;
}

}  // namespace tcrops::cli

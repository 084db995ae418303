// FieldTable for editors: its JSON Schema, and a file to start from.
#include "field_value.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops {
namespace {

constexpr std::size_t kLineWidth = 100;

// Whole numbers without the ".0" of a double.
Json bound(const Field& field, double value) {
  const bool whole = field.type == "integer" || field.item_type == "integer";
  return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json value_schema(const Field& field) {
  const std::string unit = field.unit.empty() ? "" : fmt::format(" [{}]", field.unit);
  Json entry = {{"title", field.path()},
                {"type", field.type},
                {"description", field.help + unit},
                {"default", field.default_value}};
  if (field.type == "array") entry["items"] = {{"type", field.item_type}};
  if (field.structure.item_schema) entry["items"] = field.structure.item_schema();
  // What limits a list limits each of its items.
  Json& limited = field.type == "array" ? entry["items"] : entry;
  const bool integer = limited.at("type") == "integer";
  if (std::isfinite(field.minimum)) {
    limited[field.minimum_excluded ? "exclusiveMinimum" : "minimum"] = bound(field, field.minimum);
  } else if (integer) {
    limited["minimum"] = std::numeric_limits<std::int64_t>::min();
  }
  if (std::isfinite(field.maximum)) {
    limited["maximum"] = bound(field, field.maximum);
  } else if (integer) {
    limited["maximum"] = std::numeric_limits<std::int64_t>::max();
  }
  if (field.not_empty) entry[field.type == "array" ? "minItems" : "minLength"] = 1;
  if (field.plain) entry["pattern"] = "^[A-Za-z0-9_-]+$";
  if (!field.examples.empty()) entry["examples"] = field.examples;
  if (!field.choices.empty()) {
    limited["enum"] = field.choices;
  }
  return entry;
}

// Comment lines, filled up to the width.
std::string comment(const std::string& text, const std::string& indent) {
  std::string lines;
  std::string line;
  for (const std::string& word : split(text, ' ')) {
    if (!line.empty() && indent.size() + 3 + line.size() + 1 + word.size() > kLineWidth) {
      lines += fmt::format("{}// {}\n", indent, line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return lines + fmt::format("{}// {}\n", indent, line);
}

// "passes over the training rows [at least 1 and at most 100000]"
std::string meaning(const Field& field) {
  std::string valid = range_text(field);
  if (!field.choices.empty()) {
    valid =
        fmt::format("{}{}", field.type == "array" ? "any of " : "", fmt::join(field.choices, ", "));
  }
  if (valid.empty()) valid = field.unit;
  return valid.empty() ? field.help : fmt::format("{} [{}]", field.help, valid);
}

std::string line_of(const Field& field, const std::string& indent) {
  // Lists hold few short texts: one line with a space after each comma. An object has its own line.
  const Json value = field.get();
  std::string text = value.dump();
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const Json& item : value) items.push_back(item.dump());
    const bool of_objects = field.item_type == "object" && !value.empty();
    text = of_objects ? fmt::format("[\n{0}  {1}\n{0}]", indent,
                                    fmt::join(items, fmt::format(",\n{}  ", indent)))
                      : fmt::format("[{}]", fmt::join(items, ", "));
  }
  return comment(meaning(field), indent) + fmt::format("{}\"{}\": {}", indent, field.name, text);
}

}  // namespace

Json FieldTable::schema() const {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", kSchemaTitle},
               {"description",
                "JSON in which // and /* */ comments are allowed. What is left out "
                "has its default."},
               {"allowComments", true},
               {"allowTrailingCommas", false},
               {"type", "object"},
               {"additionalProperties", false}};
  root["properties"]["$schema"] = {
      {"type", "string"},
      {"description", "file or URL of the JSON Schema, for editors; tcrops does not read it"}};
  for (const auto& [name, help] : sections_) {
    if (name.empty()) continue;
    root["properties"][name] = {{"title", name},
                                {"type", "object"},
                                {"description", help},
                                {"additionalProperties", false},
                                {"properties", Json::object()}};
  }
  for (const Field& field : fields_) {
    Json& properties = field.section.empty() ? root["properties"]
                                             : root["properties"][field.section]["properties"];
    properties[field.name] = value_schema(field);
  }
  return root;
}

std::string FieldTable::commented_file(const std::string& schema) const {
  std::string text = fmt::format("{{\n  \"$schema\": {}", Json(schema).dump());
  std::vector<std::string> sections;
  for (const Field& field : fields_) {
    const bool seen = std::find(sections.begin(), sections.end(), field.section) != sections.end();
    if (field.section.empty()) text += ",\n\n" + line_of(field, "  ");
    if (!field.section.empty() && !seen) sections.push_back(field.section);
  }
  for (const std::string& section : sections) {
    text += ",\n\n" + comment(sections_.at(section), "  ") + fmt::format("  \"{}\": {{", section);
    const char* separator = "\n";
    for (const Field& field : fields_) {
      if (field.section != section) continue;
      text += separator + line_of(field, "    ");
      separator = ",\n";
    }
    text += "\n  }";
  }
  return text + "\n}\n";
}

}  // namespace tcrops

// The file half of FieldTable: JSON with comments, every complaint with line and column.
#include "json_positions.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/field_table.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

namespace tcrops {

void FieldTable::read_file(const std::string& path) {
  read_text(tcrops::read_file(path, ExitCode::kConfiguration), path);
}

void FieldTable::read_text(const std::string& text, const std::string& name) {
  if (trim(text).empty()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("{}: the file is empty; start from a file in configs/", name));
  }
  const PositionedJson document = parse_positioned_json(text, name);
  const auto where = [&](const std::string& path) {
    const auto at = document.positions.find(path);
    if (at == document.positions.end()) return name + ":";
    return fmt::format("{}:{}:{}:", name, at->second.line, at->second.column);
  };
  const auto unknown = [&](const std::string& path, const std::string& word,
                           const std::string& section) {
    throw Error(ExitCode::kConfiguration, fmt::format("{} {}: unknown key{}", where(path), path,
                                                      suggestion(word, names(section))));
  };
  if (!document.value.is_object()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("{}:1:1: the configuration must be a JSON object", name));
  }
  for (const auto& [key, value] : document.value.items()) {
    if (key == "$schema") continue;
    if (Field* field = find("", key); field != nullptr) {
      set_checked(*field, value, Origin::kFile, where(key));
      continue;
    }
    if (key.empty() || !sections_.contains(key)) unknown(key, key, "");
    if (!value.is_object()) {
      throw Error(
          ExitCode::kConfiguration,
          fmt::format("{} {}: must be an object with the keys of this section", where(key), key));
    }
    for (const auto& [inner, inner_value] : value.items()) {
      const std::string path = key + "." + inner;
      Field* field = find(key, inner);
      if (field == nullptr) unknown(path, inner, key);
      set_checked(*field, inner_value, Origin::kFile, where(path));
    }
  }
}

}  // namespace tcrops

// The file half of FieldTable: JSON with comments, every problem with line and column.
#include "json_positions.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/field_table.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace tcrops {
namespace {

// A file with more is no configuration, and nobody reads so many.
constexpr std::size_t kMostProblems = 100;

Place place_of(const PositionedJson& document, const std::string& name, const KeyPath& path) {
  const auto at = document.positions.find(path);
  if (at == document.positions.end()) return {.origin = Origin::kFile, .name = name};
  return {Origin::kFile, name, at->second.line, at->second.column};
}

// The places of what is inside the value at `path`.
std::map<InnerPath, Place> places_inside(const PositionedJson& document, const std::string& name,
                                         const KeyPath& path) {
  std::map<InnerPath, Place> places;
  const auto depth = static_cast<std::ptrdiff_t>(path.size());
  for (auto at = document.positions.upper_bound(path); at != document.positions.end(); ++at) {
    const auto& [inner, position] = *at;
    const bool is_inside =
        inner.size() > path.size() && std::equal(path.begin(), path.end(), inner.begin());
    if (!is_inside) break;
    places[{inner.begin() + depth, inner.end()}] = {Origin::kFile, name, position.line,
                                                    position.column};
  }
  return places;
}

// Json keeps its keys sorted; people want the order of their file.
Problems in_file_order(Problems problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  if (problems.size() <= kMostProblems) return problems;
  Place end = problems[kMostProblems].place;
  problems.resize(kMostProblems);
  problems.push_back({std::move(end), "", "and more; correct those above first"});
  return problems;
}

}  // namespace

Problems FieldTable::read_file(const std::string& path) {
  return read_text(tcrops::read_file(path, ExitCode::kConfiguration), path);
}

Problems FieldTable::read_text(const std::string& text, const std::string& name) {
  const Place whole = {.origin = Origin::kFile, .name = name};
  if (trim(text).empty()) {
    return {{whole, "", "the file is empty; start with `tcrops config init` or from configs/"}};
  }
  const PositionedJson document = parse_positioned_json(text, name);
  if (document.value.is_discarded()) return document.problems;
  if (!document.value.is_object()) {
    const Place start = {Origin::kFile, name, 1, 1};
    return {{start, "", "the configuration must be a JSON object"}};
  }
  Problems problems = document.problems;
  for (const auto& [key, value] : document.value.items()) {
    if (problems.size() > kMostProblems) break;
    const Place place = place_of(document, name, {key});
    if (key == "$schema") {
      if (!value.is_string()) problems.push_back({place, key, "must be a text"});
    } else if (Field* const field = find("", key); field != nullptr) {
      append(problems, take(*field, value, place, places_inside(document, name, {key})));
    } else if (const Field* const meant = find_path(key); meant != nullptr) {
      problems.push_back({place, key,
                          fmt::format("unknown key; write it as \"{}\": {{\"{}\": …}}",
                                      meant->section, meant->name)});
    } else if (key.empty() || !sections_.contains(key)) {
      problems.push_back({place, key, "unknown key" + suggested_key("", key)});
    } else if (!value.is_object()) {
      problems.push_back({place, key, "must be an object with the keys of this section"});
    } else {
      append(problems, read_section(key, value, document, name));
    }
  }
  return in_file_order(std::move(problems));
}

Problems FieldTable::read_section(const std::string& section, const Json& values,
                                  const PositionedJson& document, const std::string& name) {
  Problems problems;
  for (const auto& [key, value] : values.items()) {
    if (problems.size() > kMostProblems) break;
    const Place place = place_of(document, name, {section, key});
    if (Field* const field = find(section, key); field != nullptr) {
      append(problems, take(*field, value, place, places_inside(document, name, {section, key})));
    } else {
      problems.push_back({place, section + "." + key, "unknown key" + suggested_key(section, key)});
    }
  }
  return problems;
}

}  // namespace tcrops

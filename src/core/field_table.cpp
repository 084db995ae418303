#include "field_value.hpp"
#include "json_positions.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/field_table.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops {
namespace {

template <class Member>
void bind(Field& field, Member& member) {
  field.get = [&member] { return Json(member); };
  field.set = [&member](const Json& value) { member = value.get<Member>(); };
  field.default_value = field.get();
}

std::string variable_of(const Field& field) {
  const std::string path = field.section.empty() ? field.name : field.section + "_" + field.name;
  return "TCROPS_" + to_upper(path);
}

// "tune.space[0].low"
std::string inner_key(const Field& field, const InnerPath& part) {
  return field.path() + path_text(part);
}

// Of the part, or of the nearest thing around it that has a place.
Place inner_place(const std::map<InnerPath, Place>& inside, InnerPath part, const Place& whole) {
  for (; !part.empty(); part.pop_back()) {
    if (const auto at = inside.find(part); at != inside.end()) return at->second;
  }
  return whole;
}

}  // namespace

void FieldTable::begin_section(std::string name, std::string help) {
  section_ = name;
  sections_.emplace(std::move(name), std::move(help));
}

Field& FieldTable::push(std::string name, std::string type, std::string help, FieldLimits limits) {
  Field field;
  field.section = section_;
  field.name = std::move(name);
  field.type = std::move(type);
  field.help = std::move(help);
  static_cast<FieldLimits&>(field) = std::move(limits);
  return fields_.emplace_back(std::move(field));
}

Field& FieldTable::push_list(std::string name, std::string item_type, std::string help,
                             FieldLimits limits) {
  Field& field = push(std::move(name), "array", std::move(help), std::move(limits));
  field.item_type = std::move(item_type);
  return field;
}

void FieldTable::add(std::string name, bool& member, std::string help, FieldLimits limits) {
  bind(push(std::move(name), "boolean", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, std::int64_t& member, std::string help, FieldLimits limits) {
  bind(push(std::move(name), "integer", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, double& member, std::string help, FieldLimits limits) {
  bind(push(std::move(name), "number", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, std::string& member, std::string help, FieldLimits limits) {
  bind(push(std::move(name), "string", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, std::vector<std::string>& member, std::string help,
                     FieldLimits limits) {
  bind(push_list(std::move(name), "string", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, std::vector<std::int64_t>& member, std::string help,
                     FieldLimits limits) {
  bind(push_list(std::move(name), "integer", std::move(help), std::move(limits)), member);
}
void FieldTable::add(std::string name, std::vector<double>& member, std::string help,
                     FieldLimits limits) {
  bind(push_list(std::move(name), "number", std::move(help), std::move(limits)), member);
}

void FieldTable::add(std::string name, Json& member, std::string help, Structure structure,
                     FieldLimits limits) {
  Field& field = push_list(std::move(name), "object", std::move(help), std::move(limits));
  field.structure = std::move(structure);
  bind(field, member);
}

Field* FieldTable::find(const std::string& section, const std::string& name) {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return field.section == section && field.name == name;
  });
  return at == fields_.end() ? nullptr : &*at;
}

Field* FieldTable::find_path(const std::string& path) {
  const auto at = std::find_if(fields_.begin(), fields_.end(),
                               [&](const Field& field) { return field.path() == path; });
  return at == fields_.end() ? nullptr : &*at;
}

Field* FieldTable::find_variable(const std::string& variable) {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return variable_of(field) == to_upper(variable);
  });
  return at == fields_.end() ? nullptr : &*at;
}

const Field& FieldTable::at(const std::string& path) const {
  const auto at = std::find_if(fields_.begin(), fields_.end(),
                               [&](const Field& field) { return field.path() == path; });
  if (at == fields_.end()) throw Error(ExitCode::kFailure, "no such field: " + path);
  return *at;
}

Problems FieldTable::take(Field& field, const Json& value, const Place& place,
                          std::map<InnerPath, Place> inside) {
  Problems problems;
  for (const std::string& text : value_problems(field, value)) {
    problems.push_back({place, field.path(), text});
  }
  if (problems.empty() && field.structure.check) {
    for (const InnerProblem& wrong : field.structure.check(value)) {
      problems.push_back(
          {inner_place(inside, wrong.path, place), inner_key(field, wrong.path), wrong.message});
    }
  }
  field.refused = !problems.empty();
  if (field.refused) return problems;
  field.set(value);
  field.place = place;
  field.inside = std::move(inside);
  return {};
}

Problems FieldTable::assign(const std::string& assignment, const std::string& option) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ExitCode::kUsage,
                fmt::format("{} {}: write it as section.key=value", option, assignment));
  }
  const std::string path = assignment.substr(0, equals);
  const Place place = {.origin = Origin::kCommandLine, .name = option};
  Field* const field = find_path(path);
  if (field == nullptr) return {{place, path, "unknown key" + suggested_path(path)}};
  return take(*field, value_from_text(*field, assignment.substr(equals + 1)), place);
}

Problems FieldTable::read_environment(const std::map<std::string, std::string>& environment,
                                      const std::vector<std::string>& reserved) {
  Problems problems;
  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with("TCROPS_")) continue;
    const bool ours =
        std::none_of(reserved.begin(), reserved.end(), [&name = variable](const std::string& word) {
          return name == word || (word.ends_with('_') && name.starts_with(word));
        });
    if (!ours) continue;
    const Place place = {.origin = Origin::kEnvironment, .name = variable};
    Field* const field = find_variable(variable);
    append(problems, field == nullptr
                         ? Problems{{place, "", "no such setting" + suggested_variable(variable)}}
                         : take(*field, value_from_text(*field, text), place));
  }
  return problems;
}

Problems FieldTable::joint_problem(const std::vector<std::string>& involved,
                                   const std::string& message) const {
  const Field* about = nullptr;
  for (const std::string& path : involved) {
    const Field& field = at(path);
    if (field.refused) return {};
    if (about == nullptr || field.place.origin > about->place.origin) about = &field;
  }
  if (about == nullptr) return {};
  return {{about->place, about->path(), message}};
}

Problems FieldTable::inner_problem(const std::string& path, const InnerPath& part,
                                   const std::string& message) const {
  const Field& field = at(path);
  if (field.refused) return {};
  return {{inner_place(field.inside, part, field.place), inner_key(field, part), message}};
}

std::vector<std::string> FieldTable::refusals(const std::string& path, const Json& value) const {
  return value_problems(at(path), value);
}

Json FieldTable::meant_by(const std::string& path, const std::string& text) const {
  return value_from_text(at(path), text);
}

std::string FieldTable::suggested_key(const std::string& section, const std::string& word) const {
  std::vector<std::string> known;
  for (const Field& field : fields_) {
    if (field.section == section) known.push_back(field.name);
  }
  for (const auto& [name, help] : sections_) {
    if (section.empty() && !name.empty()) known.push_back(name);
  }
  std::string text = suggestion(word, known);
  return text.empty() ? suggested_path(section.empty() ? word : section + "." + word) : text;
}

// The whole path counts, and the last part alone, for the section is what people leave out or take
// for another.
std::string FieldTable::suggested_path(const std::string& word) const {
  const auto leaf = [](const std::string& path) { return path.substr(path.rfind('.') + 1); };
  std::vector<std::string> paths;
  std::vector<std::string> leaves;
  for (const Field& field : fields_) {
    paths.push_back(field.path());
    leaves.push_back(field.name);
  }
  const auto best = nearest_word(leaf(word), leaves);
  if (const auto near = nearest_word(word, paths); near) {
    const bool exact_elsewhere = best == leaf(word) && leaf(*near) != leaf(word);
    if (!exact_elsewhere) return fmt::format("; did you mean \"{}\"?", *near);
  }
  if (!best) return "";
  const auto at = std::find(leaves.begin(), leaves.end(), *best) - leaves.begin();
  return fmt::format("; did you mean \"{}\"?", paths[static_cast<std::size_t>(at)]);
}

std::string FieldTable::suggested_variable(const std::string& word) const {
  std::vector<std::string> known;
  for (const Field& field : fields_) known.push_back(variable_of(field));
  return suggestion(word, known);
}

namespace {

template <class ValueOf>
Json by_section(const std::vector<Field>& fields, const ValueOf& value_of) {
  Json values = Json::object();
  for (const Field& field : fields)
    (field.section.empty() ? values : values[field.section])[field.name] = value_of(field);
  return values;
}

}  // namespace

Json FieldTable::resolved(const std::string& section, bool only_result) const {
  Json values = Json::object();
  for (const Field& field : fields_) {
    if (field.section != section || (only_result && !field.shapes_result)) continue;
    values[field.name] = field.get();
  }
  return values;
}

Json FieldTable::resolved() const {
  return by_section(fields_, [](const Field& field) { return field.get(); });
}

Json FieldTable::shown() const {
  return by_section(fields_, [](const Field& field) { return field.shown(); });
}

Json Field::shown() const {
  Json value = get();
  return as_shown ? Json(as_shown(value.get<std::string>())) : value;
}

Json FieldTable::origins() const {
  Json values = Json::object();
  for (const Field& field : fields_) values[field.path()] = origin_name(field.place.origin);
  return values;
}

}  // namespace tcrops

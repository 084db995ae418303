#include <tcrops/core/error.hpp>
#include <tcrops/core/field_table.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops {
namespace {

constexpr std::uint64_t kLargestInteger = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void reject(const std::string& where, const std::string& path,
                         const std::string& problem) {
  throw Error(ExitCode::kConfiguration,
              fmt::format("{}{}{}: {}", where, where.empty() ? "" : " ", path, problem));
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
}

// For messages: bytes that are not UTF-8 are replaced.
std::string shown(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string range_text(const Field& field) {
  const std::string unit = field.unit.empty() ? "" : " " + field.unit;
  const bool low = std::isfinite(field.minimum);
  const bool high = std::isfinite(field.maximum);
  const char* const from = field.minimum_excluded ? "above" : "at least";
  if (low && high)
    return fmt::format("{} {} and at most {}{}", from, field.minimum, field.maximum, unit);
  if (low) return fmt::format("{} {}{}", from, field.minimum, unit);
  return fmt::format("at most {}{}", field.maximum, unit);
}

std::string article(const std::string& type) {
  if (type == "array") return "a list of texts";
  if (type == "integer") return "a whole number";
  if (type == "string") return "a text";
  if (type == "boolean") return "true or false";
  return "a number";
}

void check_value(const Field& field, const Json& value, const std::string& where) {
  if (!has_type(value, field.type)) {
    reject(where, field.path(),
           fmt::format("must be {}, not {}", article(field.type), shown(value)));
  }
  if (field.type == "integer" && value.is_number_unsigned() &&
      value.get<std::uint64_t>() > kLargestInteger) {
    reject(where, field.path(),
           fmt::format("{} is out of range; must be at most {}", shown(value), kLargestInteger));
  }
  if (value.is_number()) {
    const double number = value.get<double>();
    const bool low = field.minimum_excluded ? number <= field.minimum : number < field.minimum;
    if (low || number > field.maximum || !std::isfinite(number)) {
      reject(where, field.path(),
             fmt::format("{} is out of range; must be {}", shown(value), range_text(field)));
    }
  }
  if (field.choices.empty()) return;
  const auto check_choice = [&](const std::string& text) {
    if (std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end()) return;
    reject(where, field.path(),
           fmt::format("\"{}\" is not one of {}{}", text, fmt::join(field.choices, ", "),
                       suggestion(text, field.choices)));
  };
  if (value.is_string()) check_choice(value.get<std::string>());
  if (value.is_array()) {
    for (const Json& item : value) check_choice(item.get<std::string>());
  }
}

Json value_from_text(const Field& field, const std::string& text) {
  if (field.type == "string") return text;
  if (field.type == "array" && (text.empty() || text.front() != '[')) {
    Json list = Json::array();
    if (trim(text).empty()) return list;
    for (const std::string& part : split(text, ',')) list.push_back(std::string(trim(part)));
    return list;
  }
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

template <class Member>
void bind(Field& field, Member& member) {
  field.get = [&member] { return Json(member); };
  field.set = [&member](const Json& value) { member = value.get<Member>(); };
  field.default_value = field.get();
}

const char* origin_name(Origin origin) {
  switch (origin) {
    case Origin::kDefault:
      return "default";
    case Origin::kFile:
      return "file";
    case Origin::kEnvironment:
      return "environment";
    case Origin::kCommandLine:
      return "command line";
  }
  return "";
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
  field.unit = std::move(limits.unit);
  field.minimum = limits.minimum;
  field.maximum = limits.maximum;
  field.minimum_excluded = limits.minimum_excluded;
  field.choices = std::move(limits.choices);
  field.shapes_result = limits.shapes_result;
  return fields_.emplace_back(std::move(field));
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
  bind(push(std::move(name), "array", std::move(help), std::move(limits)), member);
}

Field* FieldTable::find(const std::string& section, const std::string& name) {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return field.section == section && field.name == name;
  });
  return at == fields_.end() ? nullptr : &*at;
}

std::vector<std::string> FieldTable::names(const std::string& section) const {
  std::vector<std::string> result;
  for (const Field& field : fields_) {
    if (field.section == section) result.push_back(field.name);
  }
  if (!section.empty()) return result;
  for (const auto& [name, help] : sections_) {
    if (!name.empty()) result.push_back(name);
  }
  return result;
}

void FieldTable::set_checked(Field& field, const Json& value, Origin origin,
                             const std::string& where) {
  check_value(field, value, where);
  field.set(value);
  field.origin = origin;
}

void FieldTable::assign(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    throw Error(ExitCode::kUsage,
                fmt::format("--set {}: write it as section.key=value", assignment));
  }
  const std::string path = assignment.substr(0, equals);
  const std::size_t dot = path.find('.');
  const std::string section = dot == std::string::npos ? "" : path.substr(0, dot);
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  if (!sections_.contains(section)) {
    reject("--set", path,
           fmt::format("unknown section \"{}\"{}", section, suggestion(section, names(""))));
  }
  Field* field = find(section, name);
  if (field == nullptr) {
    reject("--set", path, fmt::format("unknown key{}", suggestion(name, names(section))));
  }
  set_checked(*field, value_from_text(*field, assignment.substr(equals + 1)), Origin::kCommandLine,
              "--set");
}

Json FieldTable::resolved(const std::string& section, bool only_result) const {
  Json values = Json::object();
  for (const Field& field : fields_) {
    if (field.section != section || (only_result && !field.shapes_result)) continue;
    values[field.name] = field.get();
  }
  return values;
}

Json FieldTable::resolved() const {
  Json values = Json::object();
  for (const Field& field : fields_) {
    (field.section.empty() ? values : values[field.section])[field.name] = field.get();
  }
  return values;
}

Json FieldTable::origins() const {
  Json values = Json::object();
  for (const Field& field : fields_) values[field.path()] = origin_name(field.origin);
  return values;
}

Json FieldTable::schema() const {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "tcrops pipeline configuration"},
               {"type", "object"},
               {"additionalProperties", false},
               {"properties", {{"$schema", {{"type", "string"}}}}}};
  for (const auto& [name, help] : sections_) {
    if (name.empty()) continue;
    root["properties"][name] = {{"type", "object"},
                                {"description", help},
                                {"additionalProperties", false},
                                {"properties", Json::object()}};
  }
  for (const Field& field : fields_) {
    std::string help = field.help;
    if (!field.unit.empty()) help += fmt::format(" [{}]", field.unit);
    Json entry = {{"type", field.type}, {"description", help}, {"default", field.default_value}};
    if (std::isfinite(field.minimum)) {
      entry[field.minimum_excluded ? "exclusiveMinimum" : "minimum"] = field.minimum;
    }
    if (std::isfinite(field.maximum)) entry["maximum"] = field.maximum;
    if (field.type == "array") entry["items"] = {{"type", "string"}};
    if (!field.choices.empty()) {
      (field.type == "array" ? entry["items"] : entry)["enum"] = field.choices;
    }
    Json& properties = field.section.empty() ? root["properties"]
                                             : root["properties"][field.section]["properties"];
    properties[field.name] = std::move(entry);
  }
  return root;
}

Field& FieldTable::field_of_variable(const std::string& name, const std::string& where) {
  if (Field* field = find("", name); field != nullptr) return *field;
  std::vector<std::string> known;
  for (const Field& field : fields_) {
    const std::string variable =
        field.section.empty() ? field.name : field.section + "_" + field.name;
    known.push_back("TCROPS_" + to_upper(variable));
  }
  for (const auto& [section, help] : sections_) {
    if (section.empty() || !name.starts_with(section + "_")) continue;
    const std::string key = name.substr(section.size() + 1);
    if (Field* field = find(section, key); field != nullptr) return *field;
    reject(where, section + "." + key,
           fmt::format("unknown key{}", suggestion(key, names(section))));
  }
  throw Error(ExitCode::kConfiguration, fmt::format("{} no such setting{}", where,
                                                    suggestion("TCROPS_" + to_upper(name), known)));
}

void FieldTable::read_environment(const std::map<std::string, std::string>& environment,
                                  const std::vector<std::string>& reserved) {
  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with("TCROPS_")) continue;
    const bool ours = std::none_of(reserved.begin(), reserved.end(), [&](const std::string& word) {
      return variable == word || (word.ends_with('_') && variable.starts_with(word));
    });
    if (!ours) continue;
    const std::string where = fmt::format("environment variable {}:", variable);
    Field& field = field_of_variable(to_lower(variable.substr(7)), where);
    set_checked(field, value_from_text(field, text), Origin::kEnvironment, where);
  }
}

}  // namespace tcrops

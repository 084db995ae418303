#include "space_shape.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/tune/space.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace tcrops::stages {
namespace {

using Found = std::vector<InnerProblem>;

// More than there are fields; every parameter is compared with those before it.
constexpr std::size_t kMostParameters = 200;
constexpr std::size_t kMostOptions = 1000;

bool is_text(const Json& value) { return value.is_string(); }
bool is_flag(const Json& value) { return value.is_boolean(); }
bool is_number(const Json& value) { return value.is_number(); }
bool is_whole(const Json& value) {
  constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_unsigned()) return value.is_number_integer();
  return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kLargest);
}
bool is_option(const Json& value) {
  return value.is_string() || value.is_number_float() || is_whole(value);
}
bool are_options(const Json& value) {
  return value.is_array() && !value.empty() && value.size() <= kMostOptions &&
         std::all_of(value.begin(), value.end(), is_option);
}
bool is_condition(const Json& value) {
  return value.is_object() && value.size() == 2 && value.contains("parameter") &&
         value.contains("values") && is_text(value.at("parameter")) &&
         are_options(value.at("values"));
}

struct Key {
  const char* name;
  bool required;
  bool (*fits)(const Json&);
  const char* must_be;
};

constexpr const char* kOptionList = "a list of 1 to 1000 texts and numbers";
constexpr Key kOfEveryType[] = {
    {"name", true, is_text, "a text"},
    {"type", true, is_text, "a text"},
    {"when", false, is_condition, R"({"parameter": a name, "values": a list of its options})"}};
constexpr Key kOfFloat[] = {{"low", true, is_number, "a number"},
                            {"high", true, is_number, "a number"},
                            {"log", false, is_flag, "true or false"},
                            {"step", false, is_number, "a number"}};
constexpr Key kOfInteger[] = {{"low", true, is_whole, "a whole number"},
                              {"high", true, is_whole, "a whole number"},
                              {"log", false, is_flag, "true or false"},
                              {"step", false, is_whole, "a whole number"}};
constexpr Key kOfChoice[] = {{"options", true, are_options, kOptionList}};

const std::vector<std::string>& types() {
  static const std::vector<std::string> names = {"float", "integer", "choice"};
  return names;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<Key> keys_of(const std::string& type) {
  std::vector<Key> keys(std::begin(kOfEveryType), std::end(kOfEveryType));
  if (type == "float") keys.insert(keys.end(), std::begin(kOfFloat), std::end(kOfFloat));
  if (type == "integer") keys.insert(keys.end(), std::begin(kOfInteger), std::end(kOfInteger));
  if (type == "choice") keys.insert(keys.end(), std::begin(kOfChoice), std::end(kOfChoice));
  return keys;
}

InnerPath with(InnerPath path, const std::string& key) {
  path.push_back(key);
  return path;
}

// Keys that are missing, unknown or of the wrong kind.
Found key_problems(const Json& entry, const InnerPath& path) {
  if (!entry.contains("type")) return {{path, "the key \"type\" is missing"}};
  const Json& type = entry.at("type");
  if (!type.is_string() || !holds(types(), type.get<std::string>())) {
    return {{with(path, "type"),
             fmt::format("{} is not one of {}{}", shown(type), fmt::join(types(), ", "),
                         type.is_string() ? suggestion(type.get<std::string>(), types()) : "")}};
  }
  Found problems;
  const std::vector<Key> keys = keys_of(type.get<std::string>());
  std::vector<std::string> names;
  for (const Key& key : keys) names.emplace_back(key.name);
  for (const auto& [name, value] : entry.items()) {
    const auto key = std::find(names.begin(), names.end(), name) - names.begin();
    if (key == std::ssize(names)) {
      problems.push_back(
          {with(path, name), fmt::format("unknown key of a parameter of type {}{}",
                                         type.get<std::string>(), suggestion(name, names))});
    } else if (const Key& rule = keys[static_cast<std::size_t>(key)]; !rule.fits(value)) {
      problems.push_back(
          {with(path, name), fmt::format("must be {}, not {}", rule.must_be, shown(value))});
    }
  }
  for (const Key& key : keys) {
    if (!key.required || entry.contains(key.name)) continue;
    problems.push_back({path, fmt::format("the key \"{}\" is missing", key.name)});
  }
  return problems;
}

// What tune says of an entry behind the ones before it.
std::optional<std::string> refusal(Json space, const Json& entry) {
  space.push_back(entry);
  try {
    static_cast<void>(tune::space_from_json(space));
    return std::nullopt;
  } catch (const Error& error) {
    const std::string text = error.what();
    const std::string prefix =
        fmt::format("search space, parameter \"{}\": ", entry.at("name").get<std::string>());
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }
}

// The key without which, or with another value of which, the entry would be right.
std::string key_at_fault(const Json& space, const Json& entry) {
  for (const char* key : {"when", "step", "log"}) {
    if (!entry.contains(key)) continue;
    Json without = entry;
    without.erase(key);
    if (!refusal(space, without)) return key;
  }
  Json renamed = entry;
  renamed["name"] = entry.at("name").get<std::string>() + " again";
  if (!refusal(space, renamed)) return "name";
  return entry.at("type") == "choice" ? "options" : "low";
}

std::vector<std::string> names_of(const Json& space) {
  std::vector<std::string> names;
  for (const Json& entry : space) names.push_back(entry.at("name").get<std::string>());
  return names;
}

std::string parent_of(const Json& entry) {
  return entry.at("when").at("parameter").get<std::string>();
}

// An entry whose keys are right, behind the right ones before it.
Found meaning_problems(const Json& space, const Json& entry, const InnerPath& path) {
  if (entry.contains("when")) {
    const std::string parent = parent_of(entry);
    const std::vector<std::string> before = names_of(space);
    if (!holds(before, parent)) {
      return {{with(with(path, "when"), "parameter"),
               fmt::format("there is no parameter {} before this one{}", shown(parent),
                           suggestion(parent, before))}};
    }
  }
  const std::optional<std::string> text = refusal(space, entry);
  if (!text) return {};
  return {{with(path, key_at_fault(space, entry)), *text}};
}

}  // namespace

Json space_item_schema(const std::vector<std::string>& names) {
  const Json options = {{"type", "array"},
                        {"items", {{"type", {"string", "number"}}}},
                        {"minItems", 1},
                        {"maxItems", kMostOptions}};
  const auto with_help = [](Json schema, const char* help) {
    schema["description"] = help;
    return schema;
  };
  const Json number = {{"type", "number"}};
  const Json properties = {
      {"name", {{"enum", names}, {"description", "the field that is searched"}}},
      {"type", {{"enum", types()}, {"description", "what its values are"}}},
      {"low", with_help(number, "least value")},
      {"high", with_help(number, "largest value")},
      {"log", {{"type", "boolean"}, {"description", "by orders of magnitude; low is above 0"}}},
      {"step", with_help(number, "only low, low + step, and so on")},
      {"options", with_help(options, "values; of a list each as --set takes it")},
      {"when",
       {{"type", "object"},
        {"description", "the parameter is there only while a choice before it has such a value"},
        {"properties", {{"parameter", {{"type", "string"}}}, {"values", options}}},
        {"required", {"parameter", "values"}},
        {"additionalProperties", false}}}};
  const Json none = {{"low", false}, {"high", false}, {"log", false}, {"step", false}};
  return {{"type", "object"},
          {"properties", properties},
          {"required", {"name", "type"}},
          {"additionalProperties", false},
          {"if", {{"properties", {{"type", {{"const", "choice"}}}}}}},
          {"then", {{"required", {"options"}}, {"properties", none}}},
          {"else", {{"required", {"low", "high"}}, {"properties", {{"options", false}}}}}};
}

std::vector<InnerProblem> space_shape_problems(const Json& space) {
  if (space.size() > kMostParameters) {
    return {
        {{},
         fmt::format("holds {} parameters, more than there are fields to search", space.size())}};
  }
  Found problems;
  Json right = Json::array();
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < space.size(); ++i) {
    const Json& entry = space[i];
    const InnerPath path = {std::to_string(i)};
    Found found = key_problems(entry, path);
    // Nothing can be said of a condition on a wrong one.
    Json alone = entry;
    const bool depends_on_wrong = found.empty() && entry.contains("when") &&
                                  holds(wrong, parent_of(entry)) &&
                                  !holds(names_of(right), parent_of(entry));
    if (depends_on_wrong) alone.erase("when");
    if (found.empty()) found = meaning_problems(right, alone, path);
    if (found.empty() && !depends_on_wrong) {
      right.push_back(entry);
    } else if (entry.contains("name") && entry.at("name").is_string()) {
      wrong.push_back(entry.at("name").get<std::string>());
    }
    std::move(found.begin(), found.end(), std::back_inserter(problems));
  }
  return problems;
}

}  // namespace tcrops::stages

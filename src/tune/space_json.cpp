// Spaces and points as JSON.
#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/tune/space.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tcrops::tune {
namespace {

Json json_of(const Value& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Json json_of(const std::vector<Value>& values) {
  Json json = Json::array();
  for (const Value& value : values) json.push_back(json_of(value));
  return json;
}

[[noreturn]] void not_in_domain(const Parameter& parameter, const Json& value) {
  throw Error(ExitCode::kArtifact,
              fmt::format("stored trial: {} is not a value of parameter \"{}\"; it comes from "
                          "another search space",
                          value.dump(), parameter.name));
}

// Null for what is no option. A whole number may stand for a real one.
const Value* option_of(const std::vector<Value>& options, const Json& json) {
  for (const Value& option : options) {
    if (json_of(option).type() == json.type() && json_of(option) == json) return &option;
  }
  for (const Value& option : options) {
    if (json.is_number() && json_of(option) == json) return &option;
  }
  return nullptr;
}

struct ValueReader {
  const Parameter& parameter;
  const Json& json;

  Value operator()(const FloatRange& range) const {
    if (!json.is_number()) not_in_domain(parameter, json);
    const auto value = json.get<double>();
    if (!(value >= range.low && value <= range.high)) not_in_domain(parameter, json);
    const double steps = range.step > 0.0 ? (value - range.low) / range.step : 0.0;
    if (std::abs(steps - std::round(steps)) > 1e-6) not_in_domain(parameter, json);
    return value;
  }
  Value operator()(const IntegerRange& range) const {
    if (!json.is_number_integer()) not_in_domain(parameter, json);
    const auto value = json.get<std::int64_t>();
    if (value < range.low || value > range.high || (value - range.low) % range.step != 0) {
      not_in_domain(parameter, json);
    }
    return value;
  }
  Value operator()(const Choice& choice) const {
    const Value* found = option_of(choice.options, json);
    if (found == nullptr) not_in_domain(parameter, json);
    return *found;
  }
};

struct DomainWriter {
  Json operator()(const FloatRange& range) const {
    Json json = {{"type", "float"}, {"low", range.low}, {"high", range.high}, {"log", range.log}};
    if (range.step != 0.0) json["step"] = range.step;
    return json;
  }
  Json operator()(const IntegerRange& range) const {
    Json json = {{"type", "integer"}, {"low", range.low}, {"high", range.high}};
    if (range.log) json["log"] = true;
    if (range.step != 1) json["step"] = range.step;
    return json;
  }
  Json operator()(const Choice& choice) const {
    return {{"type", "choice"}, {"options", json_of(choice.options)}};
  }
};

// Reads one entry of a space; its messages name the parameter and the key.
class EntryReader {
 public:
  EntryReader(const Json& json, std::size_t place) : json_(json) {
    fmt::format_to(std::back_inserter(label_), "number {}", place + 1);
    if (!json.is_object()) refuse("expected an object");
    name_ = text("name");
    label_ = fmt::format("\"{}\"", name_);
  }

  Parameter read() const {
    const std::string type = text("type");
    Parameter parameter{name_, Choice()};
    if (type == "float") {
      allow({"low", "high", "log", "step"});
      parameter.domain = FloatRange{real("low"), real("high"), flag("log"),
                                    json_.contains("step") ? real("step") : 0.0};
    } else if (type == "integer") {
      allow({"low", "high", "log", "step"});
      parameter.domain = IntegerRange{whole("low"), whole("high"), flag("log"),
                                      json_.contains("step") ? whole("step") : 1};
    } else if (type == "choice") {
      allow({"options"});
      parameter.domain = Choice(values(json_, "options"));
    } else {
      static const std::array<std::string, 3> types = {"float", "integer", "choice"};
      refuse(fmt::format("there is no type \"{}\"{}; choose one of: float, integer, choice", type,
                         suggestion(type, types)));
    }
    if (json_.contains("when")) parameter.when = condition(json_.at("when"));
    return parameter;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ExitCode::kConfiguration,
                fmt::format("search space, parameter {}: {}", label_, what));
  }

  // Beside what every type has.
  void allow(std::vector<std::string> keys) const {
    keys.insert(keys.end(), {"name", "type", "when"});
    for (const auto& [key, value] : json_.items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      refuse(fmt::format("there is no key \"{}\" here{}", key, suggestion(key, keys)));
    }
  }

  const Json& at(const Json& json, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end()) refuse(fmt::format("the key \"{}\" is missing", key));
    return *found;
  }
  std::string text(const char* key) const {
    const Json& value = at(json_, key);
    if (!value.is_string()) refuse(fmt::format("\"{}\" must be a text", key));
    return value.get<std::string>();
  }
  double real(const char* key) const {
    const Json& value = at(json_, key);
    if (!value.is_number()) refuse(fmt::format("\"{}\" must be a number", key));
    return value.get<double>();
  }
  std::int64_t whole(const char* key) const {
    const Json& value = at(json_, key);
    if (!value.is_number_integer()) refuse(fmt::format("\"{}\" must be a whole number", key));
    return value.get<std::int64_t>();
  }
  bool flag(const char* key) const {
    if (!json_.contains(key)) return false;
    const Json& value = at(json_, key);
    if (!value.is_boolean()) refuse(fmt::format("\"{}\" must be true or false", key));
    return value.get<bool>();
  }
  std::vector<Value> values(const Json& json, const char* key) const {
    const Json& list = at(json, key);
    if (!list.is_array()) refuse(fmt::format("\"{}\" must be a list", key));
    std::vector<Value> result;
    for (const Json& each : list) {
      if (each.is_string()) {
        result.emplace_back(each.get<std::string>());
      } else if (each.is_number_integer()) {
        result.emplace_back(each.get<std::int64_t>());
      } else if (each.is_number()) {
        result.emplace_back(each.get<double>());
      } else {
        refuse(
            fmt::format("\"{}\" holds {}, which is neither a text nor a number", key, each.dump()));
      }
    }
    return result;
  }
  Condition condition(const Json& json) const {
    if (!json.is_object() || json.size() != 2) {
      refuse("\"when\" must have the keys \"parameter\" and \"values\", and no other");
    }
    const Json& parent = at(json, "parameter");
    if (!parent.is_string()) refuse("\"when.parameter\" must be a text");
    return {parent.get<std::string>(), values(json, "values")};
  }

  const Json& json_;
  std::string name_;
  std::string label_;
};

}  // namespace

Json to_json(const Point& point) {
  Json json = Json::object();
  for (const auto& [name, value] : point) json[name] = json_of(value);
  return json;
}

Point point_from_json(const Json& json, const Space& space) {
  if (!json.is_object()) {
    throw Error(
        ExitCode::kArtifact,
        fmt::format("stored trial: expected an object with the parameters' values, found {}",
                    json.dump()));
  }
  Point point;
  for (const Parameter& parameter : space) {
    if (!is_active(parameter, point)) continue;
    const auto found = json.find(parameter.name);
    if (found == json.end()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("stored trial: no value for parameter \"{}\"", parameter.name));
    }
    point[parameter.name] = std::visit(ValueReader{parameter, *found}, parameter.domain);
  }
  if (point.size() != json.size()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("stored trial: expected values of {} parameters, found {}",
                            point.size(), json.dump()));
  }
  return point;
}

Json to_json(const Space& space) {
  Json json = Json::array();
  for (const Parameter& parameter : space) {
    Json entry = std::visit(DomainWriter{}, parameter.domain);
    entry["name"] = parameter.name;
    if (parameter.when) {
      entry["when"] = {{"parameter", parameter.when->parameter},
                       {"values", json_of(parameter.when->values)}};
    }
    json.push_back(std::move(entry));
  }
  return json;
}

Space space_from_json(const Json& json) {
  if (!json.is_array()) {
    throw Error(ExitCode::kConfiguration, "search space: expected a list of parameters");
  }
  Space space;
  for (const Json& entry : json) space.push_back(EntryReader(entry, space.size()).read());
  check_space(space);
  return space;
}

}  // namespace tcrops::tune

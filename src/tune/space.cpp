#include <tcrops/core/error.hpp>
#include <tcrops/tune/space.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tcrops::tune {
namespace {

// Beyond this a double no longer holds every integer.
constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;

[[noreturn]] void refuse(const Parameter& parameter, const std::string& what) {
  throw Error(ExitCode::kConfiguration,
              fmt::format("search space, parameter \"{}\": {}", parameter.name, what));
}

struct DomainCheck {
  const Parameter& parameter;

  void operator()(const FloatRange& range) const {
    if (!std::isfinite(range.low) || !std::isfinite(range.high) ||
        !std::isfinite(range.high - range.low)) {
      refuse(parameter, "the bounds and their distance must be finite numbers");
    }
    if (range.low > range.high) {
      refuse(parameter,
             fmt::format("the range is empty: low {} is above high {}", range.low, range.high));
    }
    if (range.log && range.low <= 0.0) {
      refuse(parameter, fmt::format("a log range must lie above 0, but low is {}", range.low));
    }
  }
  void operator()(const IntegerRange& range) const {
    if (range.low > range.high) {
      refuse(parameter,
             fmt::format("the range is empty: low {} is above high {}", range.low, range.high));
    }
    if (range.low < -kLargestInteger || range.high > kLargestInteger) {
      refuse(parameter, "the bounds must lie within -2^53 and 2^53");
    }
  }
  void operator()(const Choice& choice) const {
    if (choice.options.empty()) refuse(parameter, "it has no option; give at least one");
    const std::set<std::string> distinct(choice.options.begin(), choice.options.end());
    if (distinct.size() != choice.options.size()) {
      refuse(parameter, "an option occurs twice; remove one");
    }
  }
};

[[noreturn]] void not_in_domain(const Parameter& parameter, const Json& value) {
  throw Error(ExitCode::kArtifact,
              fmt::format("stored trial: {} is not a value of parameter \"{}\"; it comes from "
                          "another search space",
                          value.dump(), parameter.name));
}

struct ValueReader {
  const Parameter& parameter;
  const Json& json;

  Value operator()(const FloatRange& range) const {
    if (!json.is_number()) not_in_domain(parameter, json);
    const auto value = json.get<double>();
    if (!(value >= range.low && value <= range.high)) not_in_domain(parameter, json);
    return value;
  }
  Value operator()(const IntegerRange& range) const {
    if (!json.is_number_integer()) not_in_domain(parameter, json);
    const auto value = json.get<std::int64_t>();
    if (value < range.low || value > range.high) not_in_domain(parameter, json);
    return value;
  }
  Value operator()(const Choice& choice) const {
    if (!json.is_string()) not_in_domain(parameter, json);
    auto value = json.get<std::string>();
    if (std::find(choice.options.begin(), choice.options.end(), value) == choice.options.end()) {
      not_in_domain(parameter, json);
    }
    return value;
  }
};

struct DomainWriter {
  Json operator()(const FloatRange& range) const {
    return {{"type", "float"}, {"low", range.low}, {"high", range.high}, {"log", range.log}};
  }
  Json operator()(const IntegerRange& range) const {
    return {{"type", "integer"}, {"low", range.low}, {"high", range.high}};
  }
  Json operator()(const Choice& choice) const {
    return {{"type", "choice"}, {"options", choice.options}};
  }
};

}  // namespace

Json to_json(const Point& point) {
  Json json = Json::object();
  for (const auto& [name, value] : point) {
    json[name] = std::visit([](const auto& held) { return Json(held); }, value);
  }
  return json;
}

Point point_from_json(const Json& json, const Space& space) {
  if (!json.is_object() || json.size() != space.size()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("stored trial: expected one value for each of {} parameters, found {}",
                            space.size(), json.dump()));
  }
  Point point;
  for (const Parameter& parameter : space) {
    const auto found = json.find(parameter.name);
    if (found == json.end()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("stored trial: no value for parameter \"{}\"", parameter.name));
    }
    point[parameter.name] = std::visit(ValueReader{parameter, *found}, parameter.domain);
  }
  return point;
}

Json to_json(const Space& space) {
  Json json = Json::array();
  for (const Parameter& parameter : space) {
    Json entry = std::visit(DomainWriter{}, parameter.domain);
    entry["name"] = parameter.name;
    json.push_back(std::move(entry));
  }
  return json;
}

void check_space(const Space& space) {
  std::set<std::string> names;
  for (const Parameter& parameter : space) {
    if (!names.insert(parameter.name).second) refuse(parameter, "the name occurs twice");
    std::visit(DomainCheck{parameter}, parameter.domain);
  }
}

}  // namespace tcrops::tune

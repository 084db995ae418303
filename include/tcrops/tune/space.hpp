#pragma once

#include <tcrops/core/json.hpp>

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tcrops::tune {

// One value: a number, or an option's text.
using Value = std::variant<double, std::int64_t, std::string>;

struct FloatRange {
  double low = 0.0;
  double high = 1.0;  // included
  bool log = false;
  double step = 0.0;  // above 0: only low, low + step, ... up to high; not on a log range
};
struct IntegerRange {
  std::int64_t low = 0;
  std::int64_t high = 1;  // included
  bool log = false;
  std::int64_t step = 1;  // 1 on a log range
};
// One of several texts or numbers, which have no order.
struct Choice {
  std::vector<Value> options;

  Choice() = default;
  Choice(std::vector<Value> values) : options(std::move(values)) {}
  template <std::convertible_to<Value> Type>
  Choice(const std::vector<Type>& values) : options(values.begin(), values.end()) {}
};

// When a parameter is there at all: while another one has one of some values.
struct Condition {
  std::string parameter;
  std::vector<Value> values;
};

struct Parameter {
  std::string name;
  std::variant<FloatRange, IntegerRange, Choice> domain;
  std::optional<Condition> when = std::nullopt;  // none: always
};

// Parameters in the order they were declared; the order is part of the random stream. The parameter
// of a condition is a choice that comes before.
using Space = std::vector<Parameter>;

// One point of a space: the values of its active parameters.
using Point = std::map<std::string, Value>;

// Whether the parameter belongs to a point; false where the one it depends on does not.
[[nodiscard]] bool is_active(const Parameter& parameter, const Point& point);

[[nodiscard]] Json to_json(const Point& point);
// Throws Error (kArtifact) for a point of another space.
[[nodiscard]] Point point_from_json(const Json& json, const Space& space);

// A list of {"name", "type": "float", "low", "high", "log", "step"}, {"name", "type": "integer",
// ...} and {"name", "type": "choice", "options"}; "step" and an integer's "log" only where they are
// not the default, "when": {"parameter", "values"} only where there is a condition.
[[nodiscard]] Json to_json(const Space& space);
// The way back, checked by check_space. Throws Error (kConfiguration) that names the parameter and
// the key.
[[nodiscard]] Space space_from_json(const Json& json);

// Throws Error (kConfiguration) for an empty range, no option, a log range at or below 0, a name
// that occurs twice, a step that does not fit, or a condition on what is no earlier choice.
void check_space(const Space& space);

}  // namespace tcrops::tune

#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/core/rng.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace tcrops::tune {

struct FloatRange {
  double low = 0.0;
  double high = 1.0;  // included
  bool log = false;
};
struct IntegerRange {
  std::int64_t low = 0;
  std::int64_t high = 1;  // included
};
struct Choice {
  std::vector<std::string> options;
};

struct Parameter {
  std::string name;
  std::variant<FloatRange, IntegerRange, Choice> domain;
};

// Parameters in the order they were declared; the order is part of the random stream.
using Space = std::vector<Parameter>;

// One point of a space: a number, or the option's text.
using Value = std::variant<double, std::int64_t, std::string>;
using Point = std::map<std::string, Value>;

[[nodiscard]] Json to_json(const Point& point);
[[nodiscard]] Point point_from_json(const Json& json, const Space& space);
[[nodiscard]] Json to_json(const Space& space);

// Throws Error (kConfiguration) for an empty range, no option, a log range at or below 0, or a name
// that occurs twice.
void check_space(const Space& space);

}  // namespace tcrops::tune

#include "axis.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tcrops::tune {
namespace {

template <class Type>
const Type& held(const Parameter& parameter, const Value& value) {
  const Type* found = std::get_if<Type>(&value);
  if (found == nullptr) foreign_value(parameter);
  return *found;
}

double grid_value(const Axis& axis, double index) {
  return axis.first + axis.step * std::clamp(index, 0.0, static_cast<double>(axis.options) - 1.0);
}

// The index of the grid's value next to a coordinate.
double grid_index(const Axis& axis, double x) {
  return std::round(((axis.log ? std::exp(x) : x) - axis.first) / axis.step);
}

Axis grid_axis(double first, double last, double step, bool log, GridEnds ends) {
  Axis axis{Axis::Kind::kGrid, first, last, 0, first, step, log};
  axis.options = static_cast<std::size_t>(std::floor((last - first) / step + 1e-9)) + 1;
  axis.high = grid_value(axis, static_cast<double>(axis.options) - 1.0);
  if (ends == GridEnds::kWidened) {
    axis.low -= 0.5 * step;
    axis.high += 0.5 * step;
  }
  if (log) {
    axis.low = std::log(axis.low);
    axis.high = std::log(axis.high);
  }
  return axis;
}

}  // namespace

void foreign_value(const Parameter& parameter) {
  throw Error(ExitCode::kArtifact,
              fmt::format("an earlier trial's value of parameter \"{}\" does not belong to this "
                          "search space",
                          parameter.name));
}

Cell cell_of(const Axis& axis, double coordinate) {
  const double half = 0.5 * axis.step;
  if (!axis.log) {
    return {std::max(axis.low, coordinate - half), std::min(axis.high, coordinate + half)};
  }
  const double value = grid_value(axis, grid_index(axis, coordinate));
  return {std::max(axis.low, std::log(value - half)), std::min(axis.high, std::log(value + half))};
}

double on_grid(const Axis& axis, double x) {
  const double value = grid_value(axis, grid_index(axis, x));
  return axis.log ? std::log(value) : value;
}

bool is_free(const Parameter& parameter) {
  if (const auto* choice = std::get_if<Choice>(&parameter.domain)) {
    return choice->options.size() > 1;
  }
  const Axis axis = axis_of(parameter, GridEnds::kAsGiven);
  return axis.kind == Axis::Kind::kGrid ? axis.options > 1 : axis.low < axis.high;
}

Value only_value(const Parameter& parameter) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) return range->low;
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) return range->low;
  return std::get<Choice>(parameter.domain).options.front();
}

Axis axis_of(const Parameter& parameter, GridEnds ends) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    if (range->step > 0.0) return grid_axis(range->low, range->high, range->step, false, ends);
    Axis axis;
    axis.low = range->log ? std::log(range->low) : range->low;
    axis.high = range->log ? std::log(range->high) : range->high;
    return axis;
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    return grid_axis(static_cast<double>(range->low), static_cast<double>(range->high),
                     static_cast<double>(range->step), range->log, ends);
  }
  Axis axis;
  axis.kind = Axis::Kind::kCategory;
  axis.options = std::get<Choice>(parameter.domain).options.size();
  return axis;
}

double coordinate(const Parameter& parameter, const Value& value) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    const double x = held<double>(parameter, value);
    if (!(x >= range->low && x <= range->high)) foreign_value(parameter);
    if (range->step > 0.0) {
      const double index = (x - range->low) / range->step;
      if (std::abs(index - std::round(index)) > 1e-6) foreign_value(parameter);
    }
    return range->log ? std::log(x) : x;
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    const std::int64_t x = held<std::int64_t>(parameter, value);
    if (x < range->low || x > range->high || (x - range->low) % range->step != 0) {
      foreign_value(parameter);
    }
    return range->log ? std::log(static_cast<double>(x)) : static_cast<double>(x);
  }
  const std::vector<Value>& options = std::get<Choice>(parameter.domain).options;
  const auto found = std::find(options.begin(), options.end(), value);
  if (found == options.end()) foreign_value(parameter);
  return static_cast<double>(found - options.begin());
}

Value value_at(const Parameter& parameter, double coordinate) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    return std::clamp(range->log ? std::exp(coordinate) : coordinate, range->low, range->high);
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    const double value = range->log ? std::exp(coordinate) : coordinate;
    return std::clamp(static_cast<std::int64_t>(std::llround(value)), range->low, range->high);
  }
  return std::get<Choice>(parameter.domain).options[static_cast<std::size_t>(coordinate)];
}

}  // namespace tcrops::tune

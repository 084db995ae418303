#pragma once

#include <tcrops/tune/space.hpp>
#include <tcrops/tune/tpe_options.hpp>

#include <cstddef>

namespace tcrops::tune {

// One dimension of an estimator, low < high. Coordinates are what the kernels live on: the value,
// its natural logarithm on a log range, the index of a category's option.
struct Axis {
  enum class Kind { kContinuous, kGrid, kCategory };
  Kind kind = Kind::kContinuous;
  // The kernels' range; of a grid widened by half a step on either side where options ask for it.
  double low = 0.0;
  double high = 1.0;
  std::size_t options = 0;  // number of options of a category, of values on a grid
  double first = 0.0;       // grid: the lowest value
  double step = 1.0;        // grid: distance of values
  bool log = false;         // grid: its coordinates are logarithms
};

// The ends of a value's cell on a grid, within the axis.
struct Cell {
  double low = 0.0;
  double high = 0.0;
};
[[nodiscard]] Cell cell_of(const Axis& axis, double coordinate);

// The coordinate of the grid's value next to `x`, which need not be on the grid.
[[nodiscard]] double on_grid(const Axis& axis, double x);

// False when a parameter can take one value only; such a one is no axis of an estimator.
[[nodiscard]] bool is_free(const Parameter& parameter);
// That value.
[[nodiscard]] Value only_value(const Parameter& parameter);

// The axis of a free parameter, the place of a value on it, and the way back. `coordinate` throws
// Error (kArtifact) for a value that does not belong to it.
[[nodiscard]] Axis axis_of(const Parameter& parameter, GridEnds ends = GridEnds::kWidened);
[[nodiscard]] double coordinate(const Parameter& parameter, const Value& value);
[[nodiscard]] Value value_at(const Parameter& parameter, double coordinate);

// Ends with the Error for a value that is not of this space.
[[noreturn]] void foreign_value(const Parameter& parameter);

}  // namespace tcrops::tune

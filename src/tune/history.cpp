#include "history.hpp"

#include "axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tcrops::tune {

History::History(const Space& space, std::span<const Observation> observations)
    : space_(space), by_name_(space.size()), columns_(space.size()) {
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::size_t a, std::size_t b) { return space[a].name < space[b].name; });
  for (std::size_t p = 0; p < space.size(); ++p) {
    is_free_.push_back(tune::is_free(space[p]));
    has_conditions_ = has_conditions_ || space[p].when;
    if (!is_free_[p]) continue;
    free_.push_back(p);
    columns_[p].assign(observations.size(), std::numeric_limits<double>::quiet_NaN());
  }
  for (std::size_t row = 0; row < observations.size(); ++row) {
    finished_.push_back(observations[row].finished);
    read(observations[row], row);
  }
}

// Both the point and by_name_ are in the order of names, so one pass over them will do.
void History::read(const Observation& observation, std::size_t row) {
  auto next = observation.point.begin();
  const auto end = observation.point.end();
  for (const std::size_t p : by_name_) {
    if (!is_free_[p]) continue;
    const Parameter& parameter = space_[p];
    while (next != end && next->first < parameter.name) ++next;
    const bool there = next != end && next->first == parameter.name;
    if (there != is_active(parameter, observation.point)) foreign_value(parameter);
    if (there) columns_[p][row] = coordinate(parameter, next->second);
  }
}

std::vector<Presence> History::finished() const {
  std::vector<Presence> trials;
  for (std::size_t row = 0; row < finished_.size(); ++row) {
    if (!finished_[row]) continue;
    Presence present(space_.size(), false);
    for (const std::size_t p : free_) present[p] = !std::isnan(columns_[p][row]);
    // A set that was there before splits no group.
    if (std::find(trials.begin(), trials.end(), present) == trials.end()) {
      trials.push_back(std::move(present));
    }
  }
  return trials;
}

std::vector<std::size_t> History::with_all(const std::vector<std::size_t>& rows,
                                           const std::vector<std::size_t>& parameters) const {
  if (!has_conditions_) return rows;
  std::vector<std::size_t> result;
  for (const std::size_t row : rows) {
    const bool all = std::none_of(parameters.begin(), parameters.end(),
                                  [&](std::size_t p) { return std::isnan(columns_[p][row]); });
    if (all) result.push_back(row);
  }
  return result;
}

std::vector<double> History::column(std::size_t parameter,
                                    const std::vector<std::size_t>& rows) const {
  std::vector<double> values;
  values.reserve(rows.size());
  for (const std::size_t row : rows) values.push_back(columns_[parameter][row]);
  return values;
}

}  // namespace tcrops::tune

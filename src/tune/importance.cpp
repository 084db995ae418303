#include "axis.hpp"
#include "truncated_normal.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/tune/importance.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace tcrops::tune {
namespace {

constexpr std::size_t kLeastTrials = 10;
constexpr std::size_t kLeastBest = 2;
constexpr double kMostCells = 50.0;
constexpr double kNarrowest = 0.5 / 1.64;  // nine tenths of a kernel stay in its cell
// Of a cell or a trial: what rounding may make of a whole number.
constexpr double kRounding = 1e-9;

// A finished trial that has a parameter.
struct Holder {
  std::size_t cell = 0;
  double value = 0.0;  // minus infinity where it cannot be among the best
};

// Trials, or probability, by cell.
using Cells = std::vector<double>;

std::size_t count_cells(const Parameter& parameter, const Axis& axis) {
  if (axis.kind == Axis::Kind::kCategory) return axis.options;
  double cells = kMostCells;
  if (axis.kind == Axis::Kind::kGrid) {
    const auto values = static_cast<double>(axis.options);
    const auto* range = std::get_if<IntegerRange>(&parameter.domain);
    const bool log = range != nullptr && range->log;
    cells = std::min(cells, log ? std::ceil(std::log2(values)) + 1.0 : values);
  }
  return static_cast<std::size_t>(cells);
}

// The cell of a coordinate; half way between the centres of two the lower.
std::size_t cell_at(const Axis& axis, std::size_t cells, double coordinate) {
  if (axis.kind == Axis::Kind::kCategory) return static_cast<std::size_t>(coordinate);
  const double last = static_cast<double>(cells) - 1.0;
  const double place = (coordinate - axis.low) / (axis.high - axis.low) * last;
  return static_cast<std::size_t>(std::clamp(std::ceil(place - 0.5 - kRounding), 0.0, last));
}

// In cells, for all kernels.
double kernel_width(const Cells& counts) {
  const double trials = std::accumulate(counts.begin(), counts.end(), 0.0);
  double mean = 0.0;
  for (std::size_t g = 0; g < counts.size(); ++g) {
    mean += counts[g] * static_cast<double>(g) / trials;
  }
  double squares = 0.0;
  double seen = 0.0;
  double lower = -1.0;  // the quartiles' cells
  double upper = -1.0;
  double last = 0.0;
  for (std::size_t g = 0; g < counts.size(); ++g) {
    if (counts[g] == 0.0) continue;
    last = static_cast<double>(g);
    squares += counts[g] * (last - mean) * (last - mean);
    seen += counts[g];
    if (lower < 0.0 && seen >= std::floor(trials / 4.0)) lower = last;
    if (upper < 0.0 && seen > std::floor(trials * 3.0 / 4.0)) upper = last;
  }
  const double spread = (upper < 0.0 ? last : upper) - lower;
  const double deviation = std::sqrt(squares / std::max(1.0, trials - 1.0));
  const double width = 1.059 * std::min(spread / 1.34, deviation) * std::pow(trials, -0.2);
  return std::max(width, kNarrowest);
}

void add_kernel(double weight, double mean, double width, Cells& density) {
  const auto place = [&](double edge) { return (edge - mean) / width; };
  const double inside = log_mass(place(-0.5), place(static_cast<double>(density.size()) - 0.5));
  for (std::size_t g = 0; g < density.size(); ++g) {
    const auto centre = static_cast<double>(g);
    density[g] += weight * std::exp(log_mass(place(centre - 0.5), place(centre + 0.5)) - inside);
  }
}

Cells numeric_density(const Cells& counts) {
  const auto cells = static_cast<double>(counts.size());
  const double trials = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double width = kernel_width(counts);
  Cells density(counts.size(), 0.0);
  for (std::size_t g = 0; g < counts.size(); ++g) {
    if (counts[g] > 0.0) {
      add_kernel(counts[g] / (trials + 1.0), static_cast<double>(g), width, density);
    }
  }
  add_kernel(1.0 / (trials + 1.0), 0.5 * (cells - 1.0), cells, density);
  return density;
}

Cells category_density(const Cells& counts) {
  const auto options = static_cast<double>(counts.size());
  const double trials = std::accumulate(counts.begin(), counts.end(), 0.0);
  Cells density;
  for (const double count : counts) density.push_back((count + 1.0 / options) / (trials + 1.0));
  return density;
}

Cells density_of(const Axis& axis, const Cells& counts) {
  return axis.kind == Axis::Kind::kCategory ? category_density(counts) : numeric_density(counts);
}

// The value from which on trials are the best; empty where there is none.
std::optional<double> best_from(const std::vector<Holder>& holders, double best_share) {
  std::vector<double> values;
  for (const Holder& each : holders) values.push_back(each.value);
  std::sort(values.begin(), values.end(), std::greater<>());
  const auto worst_possible = -std::numeric_limits<double>::infinity();
  const auto able = static_cast<std::size_t>(
      std::find(values.begin(), values.end(), worst_possible) - values.begin());
  if (able < kLeastBest) return std::nullopt;
  const double wanted = std::ceil(best_share * static_cast<double>(values.size()) - kRounding);
  const std::size_t best = std::max(kLeastBest, static_cast<std::size_t>(wanted));
  const double value = values[std::min(best, able) - 1];
  if (value <= values.back()) return std::nullopt;
  return value;
}

// The Pearson divergence; empty where it cannot be measured.
std::optional<double> divergence(const Axis& axis, std::size_t cells,
                                 const std::vector<Holder>& holders, double best_share) {
  const std::optional<double> threshold = best_from(holders, best_share);
  if (!threshold) return std::nullopt;
  Cells all(cells, 0.0);
  Cells best(cells, 0.0);
  for (const Holder& each : holders) {
    all[each.cell] += 1.0;
    if (each.value >= *threshold) best[each.cell] += 1.0;
  }
  // The best in the one cell there is would still differ from all, by the prior's smaller part.
  if (std::count(all.begin(), all.end(), 0.0) + 1 == std::ssize(all)) return 0.0;
  const Cells density = density_of(axis, all);
  const Cells best_density = density_of(axis, best);
  double sum = 0.0;
  for (std::size_t g = 0; g < cells; ++g) {
    const double excess = best_density[g] - density[g];
    sum += excess * excess / density[g];
  }
  return sum;
}

bool is_finished(const Trial& trial) {
  return trial.state == TrialState::kComplete || trial.state == TrialState::kPruned;
}

double rank_value(const Trial& trial) {
  const bool able =
      trial.state == TrialState::kComplete && trial.acceptable && std::isfinite(trial.value);
  return able ? trial.value : -std::numeric_limits<double>::infinity();
}

// One parameter's part, before the parts are made to sum to 1.
Importance part_of(const Parameter& parameter, std::span<const Trial> trials, double best_share) {
  const bool free = is_free(parameter);
  const Axis axis = free ? axis_of(parameter, GridEnds::kAsGiven) : Axis{};
  const std::size_t cells = free ? count_cells(parameter, axis) : 1;
  std::vector<Holder> holders;
  std::size_t finished = 0;
  for (const Trial& trial : trials) {
    if (!is_finished(trial)) continue;
    ++finished;
    const auto found = trial.point.find(parameter.name);
    if ((found != trial.point.end()) != is_active(parameter, trial.point)) foreign_value(parameter);
    if (found == trial.point.end()) continue;
    const double place = coordinate(parameter, found->second);
    holders.push_back({free ? cell_at(axis, cells, place) : 0, rank_value(trial)});
  }
  Importance result{parameter.name, std::nullopt, std::ssize(holders)};
  if (holders.size() < kLeastTrials) return result;
  const double share = static_cast<double>(holders.size()) / static_cast<double>(finished);
  result.importance = divergence(axis, cells, holders, best_share);
  if (result.importance) *result.importance *= share;
  return result;
}

}  // namespace

std::vector<Importance> importances(const Space& space, std::span<const Trial> trials,
                                    double best_share) {
  check_space(space);
  if (!(best_share > 0.0 && best_share < 1.0)) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("importance: the share of the best trials must be above 0 and below 1, "
                            "not {}",
                            best_share));
  }
  std::vector<Importance> result;
  double sum = 0.0;
  for (const Parameter& parameter : space) {
    result.push_back(part_of(parameter, trials, best_share));
    sum += result.back().importance.value_or(0.0);
  }
  if (sum == 0.0) return result;
  for (Importance& each : result) {
    if (each.importance) *each.importance /= sum;
  }
  return result;
}

}  // namespace tcrops::tune

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/eval/objective.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops::eval {
namespace {

ObjectiveValue refused(double value, std::string reason) {
  return ObjectiveValue{std::isfinite(value) ? value : 0.0, false, std::move(reason)};
}

ObjectiveValue paper(const Confusion& counts, const PositiveShare& share) {
  const double value = -paper_loss(counts);
  if (counts.positive() == 0) {
    return refused(value, "there is no positive row, so precision says nothing");
  }
  const double least = share.minimum * static_cast<double>(counts.positive());
  const double most = share.maximum * static_cast<double>(counts.positive());
  if (static_cast<double>(counts.predicted_positive()) < least) {
    return refused(
        value, fmt::format("predicts {} positive rows; at least {:.6g} are needed ({:.6g} times "
                           "the {} that are positive)",
                           counts.predicted_positive(), least, share.minimum, counts.positive()));
  }
  if (static_cast<double>(counts.predicted_positive()) > most) {
    return refused(
        value, fmt::format("predicts {} positive rows; at most {:.6g} are allowed ({:.6g} "
                           "times the {} that are positive)",
                           counts.predicted_positive(), most, share.maximum, counts.positive()));
  }
  if (counts.predicted_positive() == 0) {
    return refused(value, "predicts 0 positive rows, so precision is undefined");
  }
  return ObjectiveValue{value, true, ""};
}

ObjectiveValue ranking(double value, const std::string& name) {
  if (std::isfinite(value)) return ObjectiveValue{value, true, ""};
  return refused(value, fmt::format("{} is undefined: the rows are not of both classes", name));
}

}  // namespace

double paper_loss(const Confusion& counts) {
  const std::int64_t rows = counts.rows();
  const double relative =
      rows == 0 ? 0.0
                : static_cast<double>(counts.predicted_positive()) / static_cast<double>(rows);
  return -(counts.accuracy() + 5.0 * relative + 10.0 * counts.precision());
}

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> names = {"average_precision", "auroc", "paper"};
  return names;
}

ObjectiveValue objective(const std::string& name, std::span<const std::uint8_t> labels,
                         std::span<const double> probabilities, double threshold,
                         const PositiveShare& share) {
  const std::vector<std::string>& names = objective_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("there is no objective \"{}\"{}; choose one of: {}", name,
                            suggestion(name, names), fmt::join(names, ", ")));
  }
  const Confusion counts = confusion(labels, probabilities, threshold);
  const auto diverged = std::count_if(probabilities.begin(), probabilities.end(),
                                      [](double p) { return !std::isfinite(p); });
  if (diverged != 0) {
    return refused(0.0, fmt::format("{} of {} probabilities are not finite numbers: the model has "
                                    "diverged",
                                    diverged, probabilities.size()));
  }
  if (name == "paper") return paper(counts, share);
  return ranking(
      name == "auroc" ? auroc(labels, probabilities) : average_precision(labels, probabilities),
      name);
}

}  // namespace tcrops::eval

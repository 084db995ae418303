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

constexpr std::string_view kMacro = "macro_";

// What a name stands for; "paper" has no figure.
struct Meaning {
  std::string figure;
  bool macro = false;
  bool negated = false;
};

Meaning meaning_of(const std::string& name) {
  const std::vector<std::string>& names = objective_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("there is no objective \"{}\"{}; choose one of: {}", name,
                            suggestion(name, names), fmt::join(names, ", ")));
  }
  if (name == "paper") return {};
  const bool macro = name.starts_with(kMacro);
  Meaning meaning{name.substr(macro ? kMacro.size() : 0), macro, false};
  meaning.negated =
      meaning.figure == "brier" || meaning.figure == "ece" || meaning.figure == "rank";
  return meaning;
}

// Why a figure has no value.
std::string why_undefined(const Meaning& meaning, std::size_t rows) {
  if (rows == 0) return "there are no rows";
  if (meaning.figure.starts_with("rank") || meaning.figure.starts_with("recall_at")) {
    return "no positive row is of a TCR that has a row of every epitope, of which there must be "
           "two or more";
  }
  if (meaning.macro) return "no epitope has rows of both classes";
  if (meaning.figure == "recall" || meaning.figure == "f1") return "there is no positive row";
  return "the rows are not of both classes";
}

double figure_value(const Meaning& meaning, const JudgedRows& rows,
                    std::span<const double> probabilities, double threshold) {
  if (!meaning.macro && meaning.figure == "auroc") return auroc(rows.labels, probabilities);
  if (!meaning.macro && meaning.figure == "average_precision") {
    return average_precision(rows.labels, probabilities);
  }
  const Predictor predictor{.scores = probabilities, .threshold = threshold, .detailed = false};
  const Json report = judge(rows, std::span(&predictor, 1)).front();
  const Json& value = report.at(meaning.macro ? "macro" : "pooled").at(meaning.figure);
  return value.is_null() ? std::nan("") : value.get<double>();
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
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"average_precision", "auroc", "paper"};
    for (const std::string prefix : {"", "macro_"}) {
      for (const char* figure : kFigureNames) {
        const std::string name = prefix + figure;
        if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
      }
    }
    return all;
  }();
  return names;
}

bool objective_is_negated(const std::string& name) { return meaning_of(name).negated; }

ObjectiveValue objective(const std::string& name, const JudgedRows& rows,
                         std::span<const double> probabilities, double threshold,
                         const PositiveShare& share) {
  const Meaning meaning = meaning_of(name);
  const auto diverged = std::count_if(probabilities.begin(), probabilities.end(),
                                      [](double p) { return !std::isfinite(p); });
  if (diverged != 0) {
    return refused(0.0, fmt::format("{} of {} probabilities are not finite numbers: the model has "
                                    "diverged",
                                    diverged, probabilities.size()));
  }
  if (name == "paper") return paper(confusion(rows.labels, probabilities, threshold), share);
  const double value = figure_value(meaning, rows, probabilities, threshold);
  if (std::isfinite(value)) return ObjectiveValue{meaning.negated ? -value : value, true, ""};
  return refused(
      value, fmt::format("{} is undefined: {}", name, why_undefined(meaning, rows.labels.size())));
}

}  // namespace tcrops::eval

#pragma once

#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/metrics.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// The published objective, minimised (Felbrich 2025, section 5; weights derived from its two
// published rows): -(accuracy + 5 * predicted_positives / rows + 10 * precision).
[[nodiscard]] double paper_loss(const Confusion& counts);

// The value a search maximises for one trained model, and whether it may count at all.
struct ObjectiveValue {
  double value = 0.0;  // larger is better
  bool acceptable = true;
  std::string reason;  // why not, when not acceptable
};

// Names accepted by `objective`, best default first: "paper", every figure of kFigureNames, and
// every figure with "macro_" before it.
[[nodiscard]] const std::vector<std::string>& objective_names();

// Whether less of what the name says is better, so that the objective is its negative: brier, ece,
// rank and their macro means. Throws Error (kConfiguration) for an unknown name.
[[nodiscard]] bool objective_is_negated(const std::string& name);

// How many rows a model may predict positive, as a share of the truly positive rows.
struct PositiveShare {
  double minimum = 0.5;
  double maximum = 2.0;
};

// A figure over all rows, or the mean over epitopes of one named "macro_…", both as judge() has
// them, with the opposite sign where objective_is_negated(); or "paper" (-paper_loss). Calls are
// those at `threshold`. `paper` alone has two degenerate optima: one predicted positive that is
// right scores best of all, and predicting every row positive beats most real models. So with it a
// model is acceptable only within `share`; the reason says so with the numbers. An undefined metric
// or a probability that is not finite is not acceptable either, and its value is then a finite
// filler. Throws Error: kConfiguration for an unknown name, kFailure when not everything has one
// entry per row.
[[nodiscard]] ObjectiveValue objective(const std::string& name, const JudgedRows& rows,
                                       std::span<const double> probabilities, double threshold,
                                       const PositiveShare& share = {});

}  // namespace tcrops::eval

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tcrops::eval {

// Curves from a score to the share of positives among rows of that score. Labels are 0 or 1, one
// per score; scores are finite. Pure functions.

// 1 / (1 + exp(-(slope * score + intercept))).
struct PlattCurve {
  double slope = 1.0;
  double intercept = 0.0;

  [[nodiscard]] double at(double score) const;
};

// Platt's curve with his targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of 1 and 0, by Newton
// steps with backtracking: Platt 1999; Lin, Lin and Weng, "A note on Platt's probabilistic outputs
// for support vector machines", Machine Learning 68:267, 2007. Empty without both classes.
[[nodiscard]] std::optional<PlattCurve> fit_platt(std::span<const std::uint8_t> labels,
                                                  std::span<const double> scores);

// Straight lines between knots, which rise in both; level beyond the ends.
struct IsotonicCurve {
  std::vector<double> scores;  // strictly ascending, at least one
  std::vector<double> values;  // not descending, from 0 to 1

  [[nodiscard]] double at(double score) const;
};

// The rising curve with the least squared error, by pooling adjacent violators (Ayer et al., Annals
// of Mathematical Statistics 26:641, 1955): the two ends of every level piece. Equal scores count
// as one with their mean label. Empty without both classes.
[[nodiscard]] std::optional<IsotonicCurve> fit_isotonic(std::span<const std::uint8_t> labels,
                                                        std::span<const double> scores);

}  // namespace tcrops::eval

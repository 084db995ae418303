// What the two bootstraps share.
#pragma once

#include <tcrops/core/rng.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// Equal texts get equal numbers, from 0 in order of appearance.
struct Numbered {
  std::vector<std::uint32_t> of_row;
  std::vector<std::string> names;

  [[nodiscard]] std::size_t count() const { return names.size(); }
  // The rows of each number, ascending.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> rows() const;
};
[[nodiscard]] Numbered numbered(std::span<const std::string> names);

// How often each of `count` clusters comes when as many are drawn with replacement.
[[nodiscard]] std::vector<std::uint32_t> drawn(Rng& rng, std::size_t count);

// The 95 % percentile interval: 2.5th and 97.5th percentile, linear between neighbours; NaN when
// there are no values.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};
[[nodiscard]] Interval interval_of(std::vector<double> values);

// That interval moved so that the median of the values becomes `figure`. A row drawn twice ranks
// beside itself, which lifts figures of few positives in every draw: no uncertainty, but enough to
// leave the figure outside of the plain interval.
[[nodiscard]] Interval interval_around(double figure, std::vector<double> values);

}  // namespace tcrops::eval

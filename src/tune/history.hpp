#pragma once

#include "groups.hpp"

#include <tcrops/tune/sampler.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// The earlier trials' coordinates by parameter (an index into the space). Lives as long as the
// space.
class History {
 public:
  // Throws Error (kArtifact) for an observation that is no point of the space.
  History(const Space& space, std::span<const Observation> observations);

  // Parameters that can take more than one value; only they have coordinates.
  [[nodiscard]] const std::vector<std::size_t>& free() const { return free_; }
  [[nodiscard]] bool is_free(std::size_t parameter) const { return is_free_[parameter]; }
  [[nodiscard]] bool has_conditions() const { return has_conditions_; }

  // Which free parameters each finished trial has, without repetitions.
  [[nodiscard]] std::vector<Presence> finished() const;
  // Those of `rows` (indices of observations) that have all of some free parameters.
  [[nodiscard]] std::vector<std::size_t> with_all(const std::vector<std::size_t>& rows,
                                                  const std::vector<std::size_t>& parameters) const;
  [[nodiscard]] std::vector<double> column(std::size_t parameter,
                                           const std::vector<std::size_t>& rows) const;

 private:
  void read(const Observation& observation, std::size_t row);

  const Space& space_;
  std::vector<std::size_t> by_name_;  // parameters in the order of a point's names
  std::vector<bool> is_free_;
  std::vector<std::size_t> free_;
  bool has_conditions_ = false;
  std::vector<std::vector<double>> columns_;  // NaN where a trial has no value
  std::vector<bool> finished_;
};

}  // namespace tcrops::tune

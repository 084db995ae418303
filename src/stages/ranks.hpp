#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcrops::stages {

// Where values stand among many numbers: as lower_bound would say, without its steps through all
// of them. The range is cut into as many equal parts as there are numbers, so that most parts hold
// a few.
class Ranks {
 public:
  Ranks() = default;
  // Ascending, none of them NaN; they may be equal or infinite.
  explicit Ranks(std::vector<float> ascending);

  [[nodiscard]] bool empty() const { return numbers_.empty(); }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  // How many are lower; none is lower than NaN.
  [[nodiscard]] std::size_t below(float value) const;

 private:
  // Of a number from the first to the last; never less for a higher one.
  [[nodiscard]] std::size_t part_of(float value) const;

  std::vector<float> numbers_;
  std::vector<std::uint32_t> begin_;  // of each part its first number; and of the one behind
  float parts_per_unit_ = 0.0F;       // zero: all are one part
};

}  // namespace tcrops::stages

#include "ranks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace tcrops::stages {
namespace {

// How many of `count` ascending numbers are lower. The two ways of each step cost the same,
// whatever the value: no branch that a processor could guess wrong.
std::size_t count_below(const float* at, std::size_t count, float value) {
  if (count == 0) return 0;
  const float* const begin = at;
  for (; count > 1;) {
    const std::size_t half = count / 2;
    at += at[half - 1] < value ? half : 0;
    count -= half;
  }
  return static_cast<std::size_t>(at - begin) + (*at < value ? 1 : 0);
}

}  // namespace

Ranks::Ranks(std::vector<float> ascending) : numbers_(std::move(ascending)) {
  if (numbers_.empty()) return;
  if (numbers_.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("too many numbers to rank");
  const float width = numbers_.back() - numbers_.front();
  const float parts_per_unit = static_cast<float>(numbers_.size()) / width;
  const bool is_divided = std::isfinite(width) && std::isfinite(parts_per_unit);
  if (is_divided) parts_per_unit_ = parts_per_unit;
  const std::size_t parts = is_divided ? numbers_.size() : 1;
  begin_.reserve(parts + 1);
  std::size_t at = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    while (at < numbers_.size() && part_of(numbers_[at]) < part) ++at;
    begin_.push_back(static_cast<std::uint32_t>(at));
  }
  begin_.push_back(static_cast<std::uint32_t>(numbers_.size()));
}

std::size_t Ranks::part_of(float value) const {
  if (parts_per_unit_ == 0.0F) return 0;
  const float part = (value - numbers_.front()) * parts_per_unit_;
  return std::min(static_cast<std::size_t>(part), numbers_.size() - 1);
}

std::size_t Ranks::below(float value) const {
  if (numbers_.empty() || !(value > numbers_.front())) return 0;
  if (value > numbers_.back()) return numbers_.size();
  const std::size_t part = part_of(value);
  const std::size_t begin = begin_[part];
  return begin + count_below(numbers_.data() + begin, begin_[part + 1] - begin, value);
}

}  // namespace tcrops::stages

#include "clone_id_scale.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::data {
namespace {

constexpr int kMaximumDecimals = 9;

int decimals_of(const std::string& text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return 0;
  return static_cast<int>(std::min<std::size_t>(text.size() - point - 1, kMaximumDecimals));
}

[[noreturn]] void unfit(const Record& record, const std::string& problem) {
  throw Error(ExitCode::kInputData,
              fmt::format("line {}: clone_id \"{}\" {}; clone_id cannot be a feature of this "
                          "table, leave it out of the features",
                          record.line, record[Column::kCloneId], problem));
}

}  // namespace

std::optional<double> clone_number(std::string_view text) {
  const auto value = parse_number(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

CloneIdScale CloneIdScale::fit(std::span<const Record> records) {
  CloneIdScale scale;
  bool first = true;
  for (const Record& record : records) {
    check_interrupt();
    const std::string& text = record[Column::kCloneId];
    const auto value = clone_number(text);
    if (!value) unfit(record, "is not a number");
    scale.minimum_ = first ? *value : std::min(scale.minimum_, *value);
    scale.maximum_ = first ? *value : std::max(scale.maximum_, *value);
    scale.decimals_ = std::max(scale.decimals_, decimals_of(text));
    scale.whole_ = scale.whole_ && std::floor(*value) == *value;
    first = false;
  }
  if (!std::isfinite(scale.maximum_ - scale.minimum_)) {
    unfit(records.front(), "and others span more than a number can hold");
  }
  for (const Record& record : records) {
    check_interrupt();
    const std::string& text = record[Column::kCloneId];
    const std::string back = scale.decode(scale.encode(text).value_or(0.0F));
    if (back != text) {
      unfit(record, fmt::format("would be decoded as \"{}\", since ids are stored in 24 bits and "
                                "written in one way",
                                back));
    }
  }
  return scale;
}

std::optional<float> CloneIdScale::encode(const std::string& text) const {
  const auto value = clone_number(text);
  if (!value) return std::nullopt;
  const double range = maximum_ - minimum_;
  return static_cast<float>((*value - minimum_) / (range > 0 ? range : 1.0));
}

std::string CloneIdScale::decode(float scaled) const {
  const double range = maximum_ - minimum_;
  const double value = minimum_ + static_cast<double>(scaled) * (range > 0 ? range : 1.0);
  const double rounded = whole_ ? std::round(value) : value;
  return fmt::format("{:.{}f}", rounded, decimals_);
}

Json CloneIdScale::to_json() const {
  return {{"minimum", minimum_}, {"maximum", maximum_}, {"decimals", decimals_}, {"whole", whole_}};
}

CloneIdScale CloneIdScale::from_json(const Json& description) {
  const auto fail = [](const std::string& problem) {
    throw Error(ExitCode::kArtifact, "encoder: clone_id " + problem);
  };
  if (!description.is_object() || description.size() != 4) {
    fail("must be an object of minimum, maximum, decimals, whole");
  }
  const auto number = [&](const char* key) {
    const auto at = description.find(key);
    if (at == description.end() || !at->is_number()) fail(std::string(key) + " must be a number");
    return at->get<double>();
  };
  CloneIdScale scale;
  scale.minimum_ = number("minimum");
  scale.maximum_ = number("maximum");
  const double decimals = number("decimals");
  if (!std::isfinite(scale.maximum_ - scale.minimum_) || scale.maximum_ < scale.minimum_) {
    fail("has a minimum above its maximum");
  }
  if (decimals < 0 || decimals > kMaximumDecimals || std::floor(decimals) != decimals) {
    fail(fmt::format("decimals must be a whole number from 0 to {}", kMaximumDecimals));
  }
  scale.decimals_ = static_cast<int>(decimals);
  const auto whole = description.find("whole");
  if (whole == description.end() || !whole->is_boolean()) fail("whole must be true or false");
  scale.whole_ = whole->get<bool>();
  return scale;
}

}  // namespace tcrops::data

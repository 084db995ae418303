#include "epitope_facts.hpp"

#include <tcrops/core/interrupt.hpp>

#include <utility>

namespace tcrops::stages {
namespace {

constexpr std::size_t kMostRemembered = 4'000'000;
constexpr std::size_t kOfOne = 32;  // numbers that facts without a background count as

}  // namespace

std::optional<double> EpitopeFacts::percentile(float logit) const {
  if (background.empty()) return std::nullopt;
  const std::size_t above = background.size() - background.below(logit);
  return 100.0 * static_cast<double>(above) / static_cast<double>(background.size());
}

KnownEpitopes::KnownEpitopes(bool sees_mhc, Find find)
    : sees_mhc_(sees_mhc), find_(std::move(find)) {}

const EpitopeFacts& KnownEpitopes::of(const data::Record& record) {
  const std::string& epitope = record[data::Column::kEpitope];
  key_ = epitope;
  if (sees_mhc_) (key_ += '\n') += record[data::Column::kMhc];
  if (const auto at = known_.find(key_); at != known_.end()) return at->second;
  check_interrupt();
  EpitopeFacts facts = find_(epitope, sees_mhc_ ? record[data::Column::kMhc] : std::string());
  const std::size_t size = 2 * facts.background.size() + kOfOne;
  if (remembered_ + size > kMostRemembered) {
    known_.clear();
    remembered_ = 0;
  }
  remembered_ += size;
  return known_.emplace(key_, std::move(facts)).first->second;
}

}  // namespace tcrops::stages

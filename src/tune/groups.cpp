#include "groups.hpp"

#include <utility>

namespace tcrops::tune {

std::vector<std::vector<std::size_t>> groups_of(std::span<const Presence> trials) {
  std::vector<std::vector<std::size_t>> groups;
  std::vector<bool> grouped;
  for (const Presence& present : trials) {
    grouped.resize(present.size(), false);
    std::vector<std::vector<std::size_t>> next;
    for (const std::vector<std::size_t>& group : groups) {
      std::vector<std::size_t> with;
      std::vector<std::size_t> without;
      for (const std::size_t p : group) (present[p] ? with : without).push_back(p);
      if (!with.empty()) next.push_back(std::move(with));
      if (!without.empty()) next.push_back(std::move(without));
    }
    std::vector<std::size_t> fresh;
    for (std::size_t p = 0; p < present.size(); ++p) {
      if (!present[p] || grouped[p]) continue;
      grouped[p] = true;
      fresh.push_back(p);
    }
    if (!fresh.empty()) next.push_back(std::move(fresh));
    groups = std::move(next);
  }
  return groups;
}

}  // namespace tcrops::tune

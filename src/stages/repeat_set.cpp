#include "repeat_set.hpp"

#include <string>
#include <string_view>

namespace tcrops::stages {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::uint64_t kLabelBits = 3;

// FNV-1a, then the finaliser of MurmurHash3, since the lower bits choose the slot.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  hash = (hash ^ hash >> 33U) * 0xFF51AFD7ED558CCDU;
  hash = (hash ^ hash >> 33U) * 0xC4CEB9FE1A85EC53U;
  return hash ^ hash >> 33U;
}

}  // namespace

std::size_t RepeatSet::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash >> 2U) & mask;
  while (slots_[at] != 0 && (slots_[at] & ~kLabelBits) != (hash & ~kLabelBits))
    at = (at + 1) & mask;
  return at;
}

void RepeatSet::grow() {
  std::vector<std::uint64_t> old(slots_.empty() ? kFirstSlots : slots_.size() * 2, 0);
  old.swap(slots_);
  for (const std::uint64_t entry : old) {
    if (entry != 0) slots_[slot_of(entry)] = entry;
  }
}

RepeatSet::Seen RepeatSet::add(const data::Record& record) {
  if (record[data::Column::kEpitope].empty() || !record.label) return Seen::kNew;
  if (used_ * 4 >= slots_.size() * 3) grow();
  std::string key = data::tcr_key(record);
  key.append(record[data::Column::kEpitope]).append(1, '\x1f').append(record[data::Column::kMhc]);
  const std::uint64_t hash = hash_of(key) & ~kLabelBits;
  const std::uint64_t label = *record.label ? 1 : 2;
  std::uint64_t& slot = slots_[slot_of(hash)];
  if (slot == 0) {
    slot = hash | label;
    ++used_;
    return Seen::kNew;
  }
  const bool contradicts = (slot & kLabelBits & ~label) != 0;
  slot |= label;
  return contradicts ? Seen::kContradiction : Seen::kRepeat;
}

}  // namespace tcrops::stages

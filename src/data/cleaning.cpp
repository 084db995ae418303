#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/csv.hpp>

#include <algorithm>

namespace tcrops::data {

std::string_view action_name(Action action) {
  switch (action) {
    case Action::kRefused:
      return "refused";
    case Action::kChanged:
      return "changed";
    default:
      return "noticed";
  }
}

void CleaningCounts::add(const Note& note) {
  Entry& entry = entries_[{note.action, note.field, note.code}];
  if (entry.count++ > 0) return;
  entry = {note.action, note.field, note.code, 1, note.line, note.reason};
}

void CleaningCounts::add(const CleaningCounts& other) {
  for (const auto& [key, theirs] : other.entries_) {
    const auto [at, is_new] = entries_.try_emplace(key, theirs);
    if (!is_new) at->second.count += theirs.count;
  }
}

std::vector<CleaningCounts::Entry> CleaningCounts::entries() const {
  std::vector<Entry> sorted;
  for (const auto& [key, entry] : entries_) sorted.push_back(entry);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return a.action != b.action ? a.action < b.action : a.count > b.count;
  });
  return sorted;
}

std::size_t CleaningCounts::count(Action action) const {
  std::size_t sum = 0;
  for (const auto& [key, entry] : entries_) sum += entry.action == action ? entry.count : 0;
  return sum;
}

Json CleaningCounts::json() const {
  Json list = Json::array();
  for (const Entry& entry : entries()) {
    list.push_back({{"action", action_name(entry.action)},
                    {"field", valid_utf8(entry.field)},
                    {"code", entry.code},
                    {"count", entry.count},
                    {"first_line", entry.first_line},
                    {"reason", valid_utf8(entry.first_reason)}});
  }
  return list;
}

std::string report_line(const std::string& file, const Note& note) {
  std::string line;
  append_csv(line, {file, std::to_string(note.line), std::string(action_name(note.action)),
                    valid_utf8(note.field), note.code, valid_utf8(note.reason)});
  return line;
}

}  // namespace tcrops::data

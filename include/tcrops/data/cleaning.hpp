// What cleaning did to the rows of a file, row by row and in numbers.
#pragma once

#include <tcrops/core/json.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace tcrops::data {

enum class Action {
  kRefused,  // the row was not taken over
  kChanged,  // the row was taken over with another value
  kNoticed,  // the row was taken over as it is, but looks odd
};
[[nodiscard]] std::string_view action_name(Action action);

struct Note {
  std::size_t line = 0;
  Action action = Action::kNoticed;
  std::string field;   // column of the input; empty when the row as a whole is meant
  std::string code;    // kind of finding, for counting: "allele-added"
  std::string reason;  // for people
};

// Notes counted by action, field and code; memory does not grow with the number of notes.
class CleaningCounts {
 public:
  void add(const Note& note);
  // Adds what another part of the same data had.
  void add(const CleaningCounts& other);

  struct Entry {
    Action action;
    std::string field;
    std::string code;
    std::size_t count = 0;
    std::size_t first_line = 0;
    std::string first_reason;
  };
  // Refused first, then changed, then noticed; most frequent first.
  [[nodiscard]] std::vector<Entry> entries() const;
  [[nodiscard]] std::size_t count(Action action) const;
  // [{"action", "field", "code", "count", "first_line", "reason"}], as entries().
  [[nodiscard]] Json json() const;

 private:
  std::map<std::tuple<Action, std::string, std::string>, Entry> entries_;
};

// One line of a report file: file, line, action, field, code, reason.
inline constexpr std::string_view kReportHeader = "file,line,action,field,code,reason\n";
[[nodiscard]] std::string report_line(const std::string& file, const Note& note);

}  // namespace tcrops::data

#include "letters.hpp"

#include <tcrops/data/text_table.hpp>

#include <algorithm>

namespace tcrops::data {

bool are_plain_names(std::span<const std::string_view> names) {
  return names.size() <= kMostPlainColumns &&
         std::all_of(names.begin(), names.end(), [](std::string_view name) {
           return name.size() <= kLongestPlainText &&
                  std::all_of(name.begin(), name.end(), [](char c) {
                    return is_printable(c) && c != ',' && c != ';' && c != '"';
                  });
         });
}

bool is_plain_value(std::string_view value) {
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  return value.size() <= kLongestPlainText &&
         value.find_first_of(kLineEnds) == std::string_view::npos;
}

}  // namespace tcrops::data

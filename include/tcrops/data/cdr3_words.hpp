#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tcrops::data {

struct WordCount {
  std::uint32_t word = 0;  // three letters, one byte each
  std::uint32_t count = 0;

  bool operator==(const WordCount&) const = default;
};

// How often each word of three letters occurs in a CDR3, ascending by word; empty for one that is
// missing or too short.
[[nodiscard]] std::vector<WordCount> count_words(std::string_view cdr3);

// Of the vector of counts.
[[nodiscard]] std::uint64_t squared_length(const std::vector<WordCount>& counts);

}  // namespace tcrops::data

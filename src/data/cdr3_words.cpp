#include <tcrops/data/cdr3_words.hpp>

#include <algorithm>
#include <cstddef>

namespace tcrops::data {

std::vector<WordCount> count_words(std::string_view cdr3) {
  constexpr std::size_t kWordLength = 3;
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i + kWordLength <= cdr3.size(); ++i) {
    std::uint32_t word = 0;
    for (const char letter : cdr3.substr(i, kWordLength)) {
      word = (word << 8U) | static_cast<unsigned char>(letter);
    }
    words.push_back(word);
  }
  std::sort(words.begin(), words.end());
  std::vector<WordCount> counts;
  for (const std::uint32_t word : words) {
    if (counts.empty() || counts.back().word != word) counts.push_back({word, 0});
    ++counts.back().count;
  }
  return counts;
}

std::uint64_t squared_length(const std::vector<WordCount>& counts) {
  std::uint64_t sum = 0;
  for (const WordCount& each : counts) sum += std::uint64_t{each.count} * each.count;
  return sum;
}

}  // namespace tcrops::data

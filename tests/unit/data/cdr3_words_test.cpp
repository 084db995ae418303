#include "catch_all.hpp"

#include <tcrops/data/cdr3_words.hpp>

using namespace tcrops::data;

namespace {

std::uint32_t word(char a, char b, char c) {
  return (static_cast<std::uint32_t>(a) << 16U) | (static_cast<std::uint32_t>(b) << 8U) |
         static_cast<std::uint32_t>(c);
}

}  // namespace

TEST_CASE("words of three letters are counted, in order") {
  const auto counts = count_words("CASSSSS");
  CHECK(counts == std::vector<WordCount>{{word('A', 'S', 'S'), 1},
                                         {word('C', 'A', 'S'), 1},
                                         {word('S', 'S', 'S'), 3}});
  CHECK(squared_length(counts) == 11);
}

TEST_CASE("what is shorter than a word has none") {
  for (const char* text : {"", "C", "CA"}) CHECK(count_words(text).empty());
  CHECK(squared_length({}) == 0);
}

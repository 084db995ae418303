#include "canonical_text.hpp"

#include "letters.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tcrops::data {
namespace {

constexpr std::array<std::string_view, 9> kMissingWords = {
    "nan", "none", "na", "n/a", "null", "<na>", "<mis>", "#n/a", "<missing>"};

char in_small_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_words(std::string_view text, std::string_view small) {
  return text.size() == small.size() &&
         std::equal(text.begin(), text.end(), small.begin(),
                    [](char a, char b) { return in_small_letter(a) == b; });
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string in_capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string shown_name(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::string out(text.substr(0, kMost));
  for (char& c : out) {
    if (!is_printable(c)) c = '?';
  }
  return text.size() > kMost ? out + "…" : out;
}

Canonical begun(std::string_view text) {
  Canonical result;
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) {
    result.changes.push_back({"blanks-removed", "blanks around the value"});
  }
  return result;
}

Canonical refused(std::string_view code, std::string reason) {
  Canonical result;
  result.refusal = Finding{code, std::move(reason)};
  return result;
}

bool is_missing(std::string_view text) {
  // Nearly all texts begin as no word for a missing value does.
  constexpr std::string_view kFirst = "nN<#-.";
  if (!text.empty() && !is_blank(text.front()) &&
      kFirst.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text = trimmed(text);
  if (text.empty() || text == "-" || text == ".") return true;
  // A missing gene to which a table's author added an allele: "nan*01".
  if (const std::size_t star = text.find('*'); star != std::string_view::npos) {
    const std::string_view allele = text.substr(star + 1);
    if (!std::all_of(allele.begin(), allele.end(), is_number)) return false;
    text = text.substr(0, star);
  }
  return std::any_of(kMissingWords.begin(), kMissingWords.end(),
                     [text](std::string_view word) { return equal_words(text, word); });
}

}  // namespace tcrops::data

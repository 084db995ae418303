#include "canonical_quick.hpp"
#include "canonical_text.hpp"

#include <tcrops/data/canonical.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tcrops::data {
namespace {

// How a gene may be written. Longer ones first, so that DQA1*05 is not read as DQA followed by
// 1*05.
struct Locus {
  std::string_view written;
  std::string_view name;  // as the IPD-IMGT/HLA database has it
  bool serotype = false;  // a number behind it is that of a serotype, never an allele
};
constexpr std::array kLoci = {
    Locus{"DRB1", "DRB1"},     Locus{"DRB3", "DRB3"}, Locus{"DRB4", "DRB4"},
    Locus{"DRB5", "DRB5"},     Locus{"DRA1", "DRA"},  Locus{"DRA", "DRA"},
    Locus{"DQA1", "DQA1"},     Locus{"DQA", "DQA1"},  Locus{"DQB1", "DQB1"},
    Locus{"DQB", "DQB1"},      Locus{"DPA1", "DPA1"}, Locus{"DPA", "DPA1"},
    Locus{"DPB1", "DPB1"},     Locus{"DPB", "DPB1"},  Locus{"DR", "DRB1", true},
    Locus{"DQ", "DQB1", true}, Locus{"CW", "C"},      Locus{"A", "A"},
    Locus{"B", "B"},           Locus{"C", "C"},       Locus{"E", "E"},
    Locus{"F", "F"},           Locus{"G", "G"},
};

// Serotypes whose number is not that of the allele group (IPD-IMGT/HLA, HLA dictionary).
struct Serotype {
  std::string_view gene;
  int number;
  int group;
};
constexpr std::array kSerotypes = {
    Serotype{"B", 60, 40},   Serotype{"B", 61, 40},  Serotype{"B", 62, 15},
    Serotype{"B", 63, 15},   Serotype{"B", 64, 14},  Serotype{"B", 65, 14},
    Serotype{"B", 70, 15},   Serotype{"B", 71, 15},  Serotype{"B", 72, 15},
    Serotype{"B", 75, 15},   Serotype{"B", 76, 15},  Serotype{"B", 77, 15},
    Serotype{"C", 9, 3},     Serotype{"C", 10, 3},   Serotype{"DRB1", 17, 3},
    Serotype{"DRB1", 18, 3}, Serotype{"DQB1", 7, 3}, Serotype{"DQB1", 8, 3},
    Serotype{"DQB1", 9, 3},
};
// Serotypes that cover several allele groups ("A9" is A*23 and A*24): they name none.
constexpr std::array kBroad = {
    Serotype{"A", 9, 0},     Serotype{"A", 10, 0},    Serotype{"A", 19, 0},
    Serotype{"A", 28, 0},    Serotype{"B", 5, 0},     Serotype{"B", 12, 0},
    Serotype{"B", 16, 0},    Serotype{"B", 17, 0},    Serotype{"B", 21, 0},
    Serotype{"B", 22, 0},    Serotype{"DRB1", 2, 0},  Serotype{"DRB1", 5, 0},
    Serotype{"DRB1", 6, 0},  Serotype{"DRB1", 51, 0}, Serotype{"DRB1", 52, 0},
    Serotype{"DRB1", 53, 0}, Serotype{"DQB1", 1, 0},
};

struct Name {
  std::string_view gene;
  std::vector<std::string> fields;
  std::size_t end = 0;  // in the text it was read from
};

bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }
char at(std::string_view text, std::size_t i) { return i < text.size() ? text[i] : '\0'; }

std::size_t digits_from(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (is_number(at(text, end))) ++end;
  return end - begin;
}

std::optional<std::string> group_of_serotype(std::string_view gene, int number) {
  const auto is_it = [&](const Serotype& type) {
    return type.gene == gene && type.number == number;
  };
  if (number == 0 || std::any_of(kBroad.begin(), kBroad.end(), is_it)) return std::nullopt;
  const auto found = std::find_if(kSerotypes.begin(), kSerotypes.end(), is_it);
  return fmt::format("{:02}", found == kSerotypes.end() ? number : found->group);
}

// "0201" is 02 and 01, "020101" is 02, 01 and 01, "02101" is 02 and 101; "02" and "2" stand alone.
std::optional<std::vector<std::string>> run_together(std::string_view digits) {
  switch (digits.size()) {
    case 2:
      return std::vector{std::string(digits)};
    case 3:
      return std::vector{std::string(digits)};
    case 4:
    case 5:
      return std::vector{std::string(digits.substr(0, 2)), std::string(digits.substr(2))};
    case 6:
    case 8:
      return std::vector{std::string(digits.substr(0, 2)), std::string(digits.substr(2, 2)),
                         std::string(digits.substr(4))};
    default:
      return std::nullopt;
  }
}

// What follows the gene, from `begin`: the fields and where they end.
std::optional<Name> read_fields(std::string_view text, std::size_t begin, const Locus& locus) {
  const char mark = at(text, begin);
  const bool marked = mark == '*' || mark == '-' || mark == '_';
  std::size_t i = begin + (marked ? 1 : 0);
  if (at(text, i) == 'W' && !marked) ++i;  // DRw11
  const std::size_t length = digits_from(text, i);
  const std::string_view digits = text.substr(i, length);
  if (length == 0 || (locus.serotype && length > 2)) return std::nullopt;
  Name name{locus.name, {}, i + length};
  const bool more = at(text, name.end) == ':' && is_number(at(text, name.end + 1));
  if (length <= 2) {
    int number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool serotype = !more && (mark != '*' || length == 1);
    const auto group = serotype ? group_of_serotype(locus.name, number)
                                : std::optional(fmt::format("{:02}", number));
    if (!group) return std::nullopt;
    name.fields.push_back(*group);
  } else {
    const auto fields = more ? std::vector{std::string(digits)} : run_together(digits);
    if (!fields) return std::nullopt;
    name.fields = *fields;
  }
  if (name.fields.front().find_first_not_of('0') == std::string::npos) return std::nullopt;
  while (at(text, name.end) == ':' && is_number(at(text, name.end + 1))) {
    const std::size_t field = digits_from(text, name.end + 1);
    name.fields.push_back(fmt::format("{:0>2}", text.substr(name.end + 1, field)));
    name.end += 1 + field;
  }
  // A letter for how it is expressed ("N": not) or for a group of alleles ("G", "P").
  if (is_letter(at(text, name.end)) && name.fields.size() > 1) ++name.end;
  return name;
}

// The HLA name that begins at `begin` of a text in capitals.
std::optional<Name> read_name(std::string_view text, std::size_t begin) {
  if (text.substr(begin, 3) == "HLA") {
    begin += 3;
    const char mark = at(text, begin);
    if (mark == '-' || mark == '_' || mark == ' ' || mark == '*') ++begin;
  }
  for (const Locus& locus : kLoci) {
    if (text.substr(begin, locus.written.size()) != locus.written) continue;
    if (auto name = read_fields(text, begin + locus.written.size(), locus)) {
      const char next = at(text, name->end);
      if (!is_letter(next) && !is_number(next) && next != ':' && next != '*') return name;
    }
  }
  return std::nullopt;
}

std::string with_fields(const Name& name, std::size_t most) {
  std::string out = "HLA-";
  out += name.gene;
  for (std::size_t i = 0; i < std::min(most, name.fields.size()); ++i) {
    out += i == 0 ? '*' : ':';
    out += name.fields[i];
  }
  return out;
}

bool is_pair(const Name& alpha, const Name& beta) {
  const std::string_view a = alpha.gene;
  const std::string_view b = beta.gene;
  return a.size() > 2 && b.size() > 2 && a.substr(0, 2) == b.substr(0, 2) && a[2] == 'A' &&
         b[2] == 'B';
}

// Where the next name of several may begin, and whether what stands before it separates names.
struct Gap {
  std::size_t end = 0;
  bool is_list = false;  // more than a "-" or "/", which also join the halves of a pair
  bool any = false;
};

Gap gap_from(std::string_view text, std::size_t begin) {
  Gap gap{begin, false, false};
  for (; gap.end < text.size(); ++gap.end) {
    const char c = text[gap.end];
    const bool lists = c == ',' || c == ';' || c == '|' || c == '+' || c == '&';
    if (!lists && c != '/' && c != '-' && c != '_' && !is_blank(c)) break;
    gap.is_list = gap.is_list || lists;
    gap.any = gap.any || !is_blank(c);
  }
  for (const std::string_view word : {"OR ", "AND "}) {
    if (gap.end > begin && text.substr(gap.end, word.size()) == word) {
      return {gap.end + word.size(), true, true};
    }
  }
  return gap;
}

struct Reading {
  std::vector<Name> names;  // one, or the alpha and beta half of a pair
  bool several = false;     // there was more, which is not used
  bool whole = true;        // false: there was more that is no list
};

Reading read_all(std::string_view text) {
  Reading reading;
  const auto first = read_name(text, 0);
  if (!first) return reading;
  reading.names.push_back(*first);
  std::size_t end = first->end;
  Gap gap = gap_from(text, end);
  if (const auto second = read_name(text, gap.end); gap.any && second) {
    end = second->end;
    if (is_pair(*first, *second)) {
      reading.names.push_back(*second);
      gap = gap_from(text, end);
    } else if (is_pair(*second, *first)) {
      reading.names.insert(reading.names.begin(), *second);
      gap = gap_from(text, end);
    } else {
      reading.several = true;
      return reading;
    }
  }
  if (gap.end == text.size()) return reading;
  const bool microglobulin = text.substr(gap.end, 3) == "B2M" && gap.end + 3 == text.size();
  reading.several = gap.any && !microglobulin;
  reading.whole = gap.any || microglobulin;
  return reading;
}

// DRA hardly varies, so that a pair with it is written as its beta half.
std::string written(const std::vector<Name>& names, std::size_t most_fields) {
  if (names.size() == 1) return with_fields(names[0], most_fields);
  if (names[0].gene == "DRA") return with_fields(names[1], most_fields);
  return with_fields(names[0], most_fields) + "/" + with_fields(names[1], most_fields);
}

}  // namespace

bool is_canonical_mhc(std::string_view text) {
  constexpr std::array<std::string_view, 6> kUsual = {"HLA-A*", "HLA-B*",    "HLA-C*",
                                                      "HLA-E*", "HLA-DRB1*", "HLA-DRA*"};
  for (const std::string_view gene : kUsual) {
    if (text.substr(0, gene.size()) != gene) continue;
    text.remove_prefix(gene.size());
    if (text.substr(0, 2) == "00") return false;
    if (text.size() == 2) return is_number(text[0]) && is_number(text[1]);
    return text.size() == 5 && is_number(text[0]) && is_number(text[1]) && text[2] == ':' &&
           is_number(text[3]) && is_number(text[4]);
  }
  return false;
}

Canonical canonical_mhc(std::string_view text) {
  Canonical result;
  if (is_canonical_mhc(text)) {
    result.value = text;
    return result;
  }
  if (is_missing(text)) return result;
  result = begun(text);
  text = trimmed(text);
  const std::string capitals = in_capitals(text);
  if (capitals == "B2M") return {};
  const Reading reading = read_all(capitals);
  if (reading.names.empty() || !reading.whole) {
    result.changes.push_back(
        {"mhc-not-hla", fmt::format("'{}' is no HLA name; taken as missing", shown_name(text))});
    return result;
  }
  constexpr std::size_t kAllFields = 8;
  const std::string full = written(reading.names, kAllFields);
  result.value = written(reading.names, 2);
  if (reading.several) {
    result.changes.push_back(
        {"first-of-several", fmt::format("several alleles; {} is taken", result.value)});
  }
  if (full != text.substr(0, full.size()) || (!reading.several && full.size() != text.size())) {
    result.changes.push_back(
        {"mhc-spelling", fmt::format("'{}' is {}", shown_name(text), result.value)});
  }
  if (full != result.value) {
    result.changes.push_back({"mhc-shortened", fmt::format("{} cut to two fields", full)});
  }
  return result;
}

}  // namespace tcrops::data

#include "canonical_text.hpp"
#include "gene_tables.hpp"
#include "letters.hpp"

#include <tcrops/data/canonical.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace tcrops::data {
namespace {

constexpr int kHighestAllele = 99;

std::string_view chain_word(Chain chain) { return chain == Chain::kAlpha ? "alpha" : "beta"; }
char segment_letter(Segment segment) { return segment == Segment::kV ? 'V' : 'J'; }

// The one call that is used, and whether there were more.
struct FirstCall {
  std::string_view text;
  bool several = false;
};

// Where a call ends and how long what separates it from the next one is; `npos` at the end.
struct Separator {
  std::size_t at = std::string_view::npos;
  std::size_t length = 0;
};

Separator next_separator(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' || c == ';' || c == '|' || c == '+') return {i, 1};
    if (c == '/') {
      const std::string next = in_capitals(text.substr(i + 1, 2));
      if (next != "DV" && next != "OR") return {i, 1};
    }
    if (is_blank(c) && in_capitals(text.substr(i + 1, 2)) == "OR" && i + 3 < text.size() &&
        is_blank(text[i + 3])) {
      return {i, 4};
    }
  }
  return {};
}

FirstCall first_call(std::string_view text) {
  FirstCall first;
  while (true) {
    const Separator separator = next_separator(text);
    const std::string_view call = trimmed(text.substr(0, separator.at));
    if (!is_missing(call)) {
      first.several = !first.text.empty();
      if (first.several) return first;
      first.text = call;
    }
    if (separator.at == std::string_view::npos) return first;
    text.remove_prefix(separator.at + separator.length);
  }
}

// In capitals and without blanks, also without what IMGT/V-QUEST writes around the name: "Homsap
// TRBV19*01 F".
std::string bare_name(std::string_view call) {
  const std::string capitals = in_capitals(call);
  std::string out;
  for (std::string_view rest = capitals; !(rest = trimmed(rest)).empty();) {
    const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
    const auto length = static_cast<std::size_t>(end - rest.begin());
    std::string word(rest.substr(0, length));
    rest.remove_prefix(length);
    if (out.empty() && (word == "HOMSAP" || word == "HOMO" || word == "SAPIENS")) continue;
    std::erase_if(word, [](char c) { return c == '(' || c == ')' || c == '[' || c == ']'; });
    if (!out.empty() && (word == "F" || word == "P" || word == "ORF")) break;
    out += word;
  }
  // U+2010 to U+2015, the dashes that word processors put in.
  for (std::size_t at = 0; (at = out.find("\xE2\x80", at)) != std::string::npos; ++at) {
    const auto last = at + 2 < out.size() ? static_cast<unsigned char>(out[at + 2]) : 0;
    if (last >= 0x90 && last <= 0x95) out.replace(at, 3, 1, '-');
  }
  return out;
}

struct Parts {
  std::string gene;
  std::string allele;  // as written, without "*"
};

// Splits at "*" or ":", and mends "TRAV12*2-01", where the two marks changed places.
Parts split_allele(const std::string& name) {
  const std::size_t mark = name.find_first_of("*:");
  if (mark == std::string::npos) return {name, ""};
  Parts parts{name.substr(0, mark), name.substr(mark + 1)};
  const std::string& allele = parts.allele;
  if (allele.size() == 4 && is_number(allele[0]) && allele[1] == '-' && is_number(allele[2]) &&
      is_number(allele[3])) {
    parts = {fmt::format("{}-{}", parts.gene, allele[0]), allele.substr(2)};
  }
  return parts;
}

struct Allele {
  int number = 1;
  std::optional<Finding> change;
};

Allele allele_of(const std::string& text) {
  if (text.empty()) return {1, Finding{"allele-added", "no allele; *01 is taken"}};
  const auto end = std::find_if_not(text.begin(), text.end(), is_number);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  const int number = digits == 0 || digits > 3 ? 0 : std::stoi(text.substr(0, digits));
  if (number == 0 || number > kHighestAllele) {
    return {1, Finding{"allele-unknown",
                       fmt::format("'*{}' names no allele; *01 is taken", shown_name(text))}};
  }
  if (end == text.end()) return {number, std::nullopt};
  return {number, Finding{"allele-shortened",
                          fmt::format("of '*{}' only the number is kept", shown_name(text))}};
}

// Edits (a letter put in, taken out or changed) between two short names.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_names(const std::string& gene, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  constexpr std::size_t kFarthest = 3;
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(squashed_gene(gene), squashed_gene(name));
    if (distance <= kFarthest) near.emplace_back(distance, name);
  }
  std::sort(near.begin(), near.end());
  std::string out;
  for (std::size_t i = 0; i < std::min(kMost, near.size()); ++i) {
    out += (i == 0 ? "; nearest: " : ", ");
    out += near[i].second;
  }
  return out;
}

std::string family_members(const std::string& family, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (name.rfind(family + "-", 0) != 0) continue;
    out += (out.empty() ? "" : ", ");
    out += name;
  }
  return out;
}

// "TRBV6S4", "TRAJ16S5": the names of before IMGT, which several of today's genes share.
bool is_old_name(std::string_view gene) {
  for (std::size_t i = 1; i + 1 < gene.size(); ++i) {
    if (gene[i] == 'S' && is_number(gene[i - 1]) && is_number(gene[i + 1])) return true;
  }
  return false;
}

bool is_other_locus(std::string_view gene) {
  constexpr std::array<std::string_view, 5> kOthers = {"TRD", "TRG", "IGH", "IGK", "IGL"};
  return std::find(kOthers.begin(), kOthers.end(), gene.substr(0, 3)) != kOthers.end();
}

Canonical unknown_gene(const std::string& gene, Chain chain, Segment segment) {
  const std::string wanted =
      fmt::format("{} gene of the {} chain", segment_letter(segment), chain_word(chain));
  const std::string shown = shown_name(gene);
  const std::vector<std::string>& names = gene_names(chain, segment);
  if (is_old_name(gene)) {
    return refused("gene-old-name",
                   fmt::format("'{}' is a name of before IMGT; use today's name", shown));
  }
  if (is_other_locus(gene)) {
    return refused("gene-other-locus", fmt::format("'{}' is no {}", shown, wanted));
  }
  if (const std::string members = family_members(squashed_gene(gene), names); !members.empty()) {
    return refused("gene-family", fmt::format("'{}' is a family, not a gene: {}", shown, members));
  }
  return refused("gene-unknown", fmt::format("IMGT knows no human {} '{}'{}", wanted, shown,
                                             nearest_names(gene, names)));
}

Canonical wrong_kind(const Gene& gene, Chain chain, Segment segment) {
  return refused("gene-other-kind",
                 fmt::format("{} is a {} gene of the {} chain; a {} gene of the {} chain belongs "
                             "here",
                             gene.name, segment_letter(gene.segment), chain_word(gene.chain),
                             segment_letter(segment), chain_word(chain)));
}

const Gene* resolve(const std::string& gene) {
  const GeneIndex& index = gene_index();
  if (const Gene* const exact = index.find(gene)) return exact;
  return index.find_spelling(squashed_gene(gene));
}

void add_notices(Canonical& result, const Gene& gene, int allele) {
  if (gene.use == GeneUse::kNotFunctional) {
    result.notices.push_back({"gene-not-functional",
                              fmt::format("{} is an open reading frame or pseudogene", gene.name)});
  }
  if (gene.use == GeneUse::kOrphon) {
    result.notices.push_back(
        {"gene-orphon", fmt::format("{} lies outside the locus and cannot rearrange", gene.name)});
  }
  if (allele > gene.alleles) {
    result.notices.push_back(
        {"allele-unlisted", fmt::format("{}*{:02} is not in the reference", gene.name, allele)});
  }
}

std::string written(const Gene& gene, int allele) {
  std::string out;
  out.reserve(gene.name.size() + 3);
  out += gene.name;
  out += '*';
  out += static_cast<char>('0' + allele / 10);
  out += static_cast<char>('0' + allele % 10);
  return out;
}

// Text that is as it should be but for a missing allele at most: most of all text there is.
std::optional<Canonical> quickly(std::string_view text, Chain chain, Segment segment) {
  const std::size_t star = text.find('*');
  const Gene* const gene = gene_index().find(text.substr(0, star));
  if (gene == nullptr || gene->chain != chain || gene->segment != segment) return std::nullopt;
  Canonical result;
  int allele = 1;
  if (star == std::string_view::npos) {
    result.changes.push_back({"allele-added", "no allele; *01 is taken"});
  } else {
    const std::string_view digits = text.substr(star + 1);
    if (digits.size() != 2 || !is_number(digits[0]) || !is_number(digits[1])) return std::nullopt;
    allele = (digits[0] - '0') * 10 + (digits[1] - '0');
    if (allele == 0) return std::nullopt;
  }
  result.value = written(*gene, allele);
  add_notices(result, *gene, allele);
  return result;
}

// Whether the call had today's name and, if it had an allele, wrote it as "*" and two digits.
bool written_so(std::string_view call, std::string_view gene) {
  if (call.substr(0, gene.size()) != gene) return false;
  if (call.size() == gene.size()) return true;
  const std::string_view allele = call.substr(gene.size());
  return allele.front() == '*' && !(allele.size() == 2 && is_number(allele[1]));
}

}  // namespace

Canonical canonical_gene(std::string_view text, Chain chain, Segment segment) {
  if (auto done = quickly(text, chain, segment)) return *std::move(done);
  if (is_missing(text)) return {};
  if (text.size() > kLongestText) {
    return refused("gene-unknown", fmt::format("{} characters: no gene", text.size()));
  }
  Canonical result = begun(text);
  const FirstCall first = first_call(trimmed(text));
  if (first.text.empty()) return {};
  const Parts parts = split_allele(bare_name(first.text));
  const Gene* const gene = resolve(parts.gene);
  if (gene == nullptr) return unknown_gene(parts.gene, chain, segment);
  if (gene->chain != chain || gene->segment != segment) return wrong_kind(*gene, chain, segment);
  if (first.several) {
    result.changes.push_back(
        {"first-of-several", fmt::format("several genes; {} is taken", shown_name(first.text))});
  }
  if (!written_so(first.text, gene->name)) {
    result.changes.push_back(
        {"gene-spelling", fmt::format("'{}' is {}", shown_name(first.text), gene->name)});
  }
  Allele allele = allele_of(parts.allele);
  if (allele.change) result.changes.push_back(*std::move(allele.change));
  result.value = written(*gene, allele.number);
  add_notices(result, *gene, allele.number);
  return result;
}

}  // namespace tcrops::data

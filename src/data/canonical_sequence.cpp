// CDR3s, loops, peptides and labels.
#include "canonical_quick.hpp"
#include "canonical_text.hpp"
#include "letters.hpp"

#include <tcrops/data/canonical.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tcrops::data {
namespace {

constexpr std::size_t kShortestCdr3 = 4;
constexpr std::size_t kLongestCdr3 = 40;
constexpr std::size_t kLongestLoop = 20;
constexpr std::size_t kShortestPeptide = 2;
constexpr std::size_t kLongestPeptide = 50;
constexpr std::size_t kSuspectNucleotides = 10;

constexpr auto kIsAminoAcid = [] {
  std::array<bool, 256> table{};
  for (const char c : kAminoAcids) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_amino_acid(char c) { return kIsAminoAcid[static_cast<unsigned char>(c)]; }

std::optional<Finding> bad_letter(std::string_view text, std::string_view code) {
  const auto at = std::find_if_not(text.begin(), text.end(), is_amino_acid);
  if (at == text.end()) return std::nullopt;
  const char c = *at;
  const bool small = c >= 'a' && c <= 'z';
  return Finding{code, fmt::format("{} at position {} is not one of the 20 amino acids{}", shown(c),
                                   at - text.begin() + 1, small ? " (capitals are needed)" : "")};
}

std::optional<Finding> bad_length(std::size_t length, std::size_t least, std::size_t most,
                                  std::string_view code) {
  if (length >= least && length <= most) return std::nullopt;
  return Finding{code, fmt::format("{} letters; {} to {} are possible", length, least, most)};
}

bool is_nucleotides(std::string_view text) {
  return text.size() >= kSuspectNucleotides &&
         text.find_first_not_of("ACGT") == std::string_view::npos;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Ends that a whole CDR3 of no J gene has, but a trimmed one of a J gene in …FF does: TRBJ1-1, 1-4,
// 2-1 and 2-2, TRAJ36.
bool ends_before_anchor(std::string_view text, Chain chain) {
  if (chain == Chain::kAlpha) return ends_with(text, "NLF");
  return ends_with(text, "EAF") || ends_with(text, "KLF") || ends_with(text, "EQF") ||
         ends_with(text, "ELF");
}

// Without the letters of the framework that some give with the CDR3: "YFC" becomes "C" at the
// beginning, "FGPG" becomes "F" at the end. No CDR3 has them there.
std::string_view without_flanks(std::string_view text) {
  if (text.size() > 3 && text[0] == 'Y' && text[2] == 'C') text.remove_prefix(2);
  if (text.size() > 8) {
    const std::string_view end = text.substr(text.size() - 4);
    const bool anchored = end[0] == 'F' || end[0] == 'W';
    if (anchored && end[1] == 'G' && end[3] == 'G') text.remove_suffix(3);
  }
  return text;
}

struct Ends {
  bool first;  // the conserved C is there
  bool last;   // the conserved F, W or, by the J gene, C is there
};

Ends ends_of(std::string_view text, Chain chain, std::string_view j_gene) {
  Ends ends{};
  ends.first = text.front() == 'C';
  const char last = text.back();
  ends.last = last == 'F' || last == 'W' || (last == 'C' && j_anchor(j_gene) == 'C');
  if (!ends.first && ends_before_anchor(text, chain)) ends.last = false;
  return ends;
}

Canonical with_anchors(Canonical result, std::string_view text, std::string_view j_gene) {
  const char last = j_anchor(j_gene);
  result.value.reserve(text.size() + 2);
  result.value += 'C';
  result.value += text;
  result.value += last;
  result.changes.push_back({"anchors-added", fmt::format("C and {} added at the ends", last)});
  return result;
}

Canonical keep_whole(Canonical result, std::string_view text, Ends ends) {
  result.value = text;
  if (!ends.first) {
    result.notices.push_back(
        {"no-conserved-c", fmt::format("begins with {}, not with C", shown(text.front()))});
  }
  if (!ends.last) {
    result.notices.push_back(
        {"no-conserved-end", fmt::format("ends with {}, not with F or W", shown(text.back()))});
  }
  return result;
}

Canonical nucleotides() {
  return refused("cdr3-nucleotides", "only A, C, G and T: nucleotides, not amino acids");
}

std::optional<Finding> bad_peptide(std::string_view text) {
  if (text.find_first_of("+([{") != std::string_view::npos) {
    return Finding{"epitope-modified", "a modified peptide, which sequences alone do not tell"};
  }
  if (auto fault = bad_letter(text, "epitope-letter")) return fault;
  return bad_length(text.size(), kShortestPeptide, kLongestPeptide, "epitope-length");
}

bool are_amino_acids(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_amino_acid);
}

}  // namespace

bool is_canonical_cdr3(std::string_view text) {
  return text.size() >= kShortestCdr3 && text.size() <= kLongestCdr3 && text.front() == 'C' &&
         (text.back() == 'F' || text.back() == 'W') && are_amino_acids(text);
}

bool is_canonical_loop(std::string_view text) {
  return text.size() <= kLongestLoop && are_amino_acids(text) && !is_missing(text);
}

bool is_canonical_epitope(std::string_view text) {
  return text.size() >= kShortestPeptide && text.size() <= kLongestPeptide &&
         are_amino_acids(text) && !is_missing(text);
}

Canonical canonical_cdr3(std::string_view text, Chain chain, Cdr3Form form,
                         std::string_view j_gene) {
  if (is_missing(text)) return {};
  Canonical result = begun(text);
  text = trimmed(text);
  if (auto fault = bad_letter(text, "cdr3-letter")) return refused(fault->code, fault->reason);
  if (form != Cdr3Form::kTrimmed) {
    const std::string_view bare = without_flanks(text);
    if (bare.size() != text.size()) {
      result.changes.push_back({"flanks-removed", "letters before the C or after the F/W cut off"});
    }
    text = bare;
  }
  if (is_nucleotides(text)) return nucleotides();
  const Ends ends = ends_of(text, chain, j_gene);
  const bool whole_in_trimmed = form == Cdr3Form::kTrimmed && ends.first && ends.last;
  const bool trim = form == Cdr3Form::kTrimmed ? !whole_in_trimmed : !ends.first && !ends.last;
  if (auto fault =
          bad_length(text.size() + (trim ? 2 : 0), kShortestCdr3, kLongestCdr3, "cdr3-length")) {
    return refused(fault->code, fault->reason);
  }
  if (trim) {
    result = with_anchors(std::move(result), text, j_gene);
    // Where the last letter is C the ends may be what makes it so.
    return is_nucleotides(result.value) ? nucleotides() : result;
  }
  if (whole_in_trimmed) {
    result.notices.push_back(
        {"anchors-present", "has its C and F/W, which this format leaves out"});
  }
  return keep_whole(std::move(result), text, ends);
}

Canonical canonical_loop(std::string_view text) {
  if (is_missing(text)) return {};
  Canonical result = begun(text);
  text = trimmed(text);
  if (text.find_first_of(".-") == std::string_view::npos) {
    result.value = text;
  } else {
    std::copy_if(text.begin(), text.end(), std::back_inserter(result.value),
                 [](char c) { return c != '.' && c != '-'; });
    result.changes.push_back({"gaps-removed", "gaps of the IMGT numbering taken out"});
    if (result.value.empty()) return result;
  }
  if (auto fault = bad_letter(result.value, "loop-letter")) {
    return refused(fault->code, fault->reason);
  }
  if (auto fault = bad_length(result.value.size(), 1, kLongestLoop, "loop-length")) {
    return refused(fault->code, fault->reason);
  }
  return result;
}

Canonical canonical_epitope(std::string_view text) {
  if (is_missing(text)) return {};
  Canonical result = begun(text);
  std::string_view first = trimmed(text);
  if (const std::size_t end = first.find_first_of("/,"); end != std::string_view::npos) {
    result.changes.push_back({"first-of-several", "several peptides; the first is taken"});
    first = trimmed(first.substr(0, end));
  }
  if (auto fault = bad_peptide(first)) return refused(fault->code, fault->reason);
  result.value = first;
  return result;
}

Canonical canonical_label(std::string_view text) {
  if (text == "1" || text == "0") {
    Canonical result;
    result.value = text;
    return result;
  }
  if (is_missing(text)) return {};
  Canonical result = begun(text);
  const std::string word = in_capitals(trimmed(text));
  if (word == "1" || word == "1.0" || word == "TRUE" || word == "T" || word == "YES") {
    result.value = '1';
  }
  if (word == "0" || word == "0.0" || word == "-1" || word == "-1.0" || word == "FALSE" ||
      word == "F" || word == "NO") {
    result.value = '0';
  }
  if (result.value.empty()) {
    return refused("label-unknown", fmt::format("'{}' is no label; use 1 (binds) or 0 (does not)",
                                                shown_name(trimmed(text))));
  }
  if (word != result.value) {
    result.changes.push_back(
        {"label-spelling", fmt::format("'{}' read as {}", shown_name(word), result.value)});
  }
  return result;
}

}  // namespace tcrops::data

#include "canonical_quick.hpp"
#include "gene_tables.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/genes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <utility>

namespace tcrops::data {
namespace {

constexpr std::size_t kMostFields = 4;

struct TableRow {
  std::array<std::string_view, kMostFields> fields;
  std::size_t count = 0;
};

// The rows below the header; our own tables quote nothing.
std::vector<TableRow> table_rows(std::string_view csv) {
  std::vector<TableRow> rows;
  for (csv.remove_prefix(csv.find('\n') + 1); !csv.empty();) {
    std::string_view line = csv.substr(0, csv.find('\n'));
    csv.remove_prefix(std::min(csv.size(), line.size() + 1));
    TableRow row;
    for (bool more = true; more && row.count < kMostFields;) {
      const std::size_t comma = line.find(',');
      more = comma != std::string_view::npos;
      row.fields[row.count++] = line.substr(0, comma);
      if (more) line.remove_prefix(comma + 1);
    }
    rows.push_back(row);
  }
  return rows;
}

GeneUse use_named(std::string_view name) {
  if (name == "functional") return GeneUse::kFunctional;
  if (name == "orf" || name == "pseudogene") return GeneUse::kNotFunctional;
  if (name == "orphon") return GeneUse::kOrphon;
  throw Error(ExitCode::kFailure, fmt::format("data/human_tr_genes.csv: no use '{}'", name));
}

Gene gene_of(const TableRow& row) {
  const auto& [name, use, alleles, anchor] = row.fields;
  const bool known = name.size() > 4 && name.substr(0, 2) == "TR" &&
                     (name[2] == 'A' || name[2] == 'B') && (name[3] == 'V' || name[3] == 'J') &&
                     alleles.size() == 1 && alleles[0] >= '1' && alleles[0] <= '9' &&
                     (name[3] == 'V' ? anchor.empty() : anchor.size() == 1);
  if (!known) {
    throw Error(ExitCode::kFailure,
                fmt::format("data/human_tr_genes.csv: '{}' is not as data/README.md says", name));
  }
  return {name,
          name[2] == 'A' ? Chain::kAlpha : Chain::kBeta,
          name[3] == 'V' ? Segment::kV : Segment::kJ,
          use_named(use),
          alleles[0] - '0',
          anchor.empty() ? '\0' : anchor[0]};
}

std::string_view without_allele(std::string_view name) { return name.substr(0, name.find('*')); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct LoopTable {
  std::unordered_map<std::string_view, Loops> of_allele;
  std::unordered_map<std::string_view, Loops> of_gene;  // those of its first allele
};

const LoopTable& loop_table() {
  static const LoopTable table = [] {
    LoopTable made;
    for (const TableRow& row : table_rows(v_cdr12_csv())) {
      const auto& [allele, cdr1, cdr2, none] = row.fields;
      const Loops loops{std::string(cdr1), std::string(cdr2)};
      made.of_allele.emplace(allele, loops);
      made.of_gene.emplace(without_allele(allele), loops);
    }
    return made;
  }();
  return table;
}

const Loops* find_loops(std::string_view v_allele) {
  const LoopTable& table = loop_table();
  const auto exact = table.of_allele.find(v_allele);
  if (exact != table.of_allele.end()) return &exact->second;
  const auto similar = table.of_gene.find(without_allele(v_allele));
  return similar == table.of_gene.end() ? nullptr : &similar->second;
}

// Alleles by name, for texts of which nearly all are one. Made once, on first use; immutable.
class AlleleIndex {
 public:
  explicit AlleleIndex(std::span<const Gene> genes) {
    std::size_t alleles = 0;
    for (const Gene& gene : genes) alleles += static_cast<std::size_t>(gene.alleles);
    slots_.resize(std::bit_ceil(kSlotsOfOne * (alleles + 1)));
    for (const Gene& gene : genes) {
      for (int allele = 1; gene.use == GeneUse::kFunctional && allele <= gene.alleles; ++allele)
        add(gene, fmt::format("{}*{:02}", gene.name, allele));
    }
  }
  [[nodiscard]] const KnownAllele* find(std::string_view name) const {
    if (!fits(name)) return nullptr;
    const Ends ends = ends_of(name);
    for (std::size_t at = first_slot(ends); slots_[at].size != 0; at = next(at)) {
      if (slots_[at].ends == ends && slots_[at].size == name.size()) return &slots_[at].known;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static constexpr std::size_t kSlotsOfOne = 4;

  // The first and the last eight letters: all of a name that fits, some of them twice.
  struct Ends {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    bool operator==(const Ends&) const = default;
  };
  struct Slot {
    Ends ends;
    std::size_t size = 0;  // 0: it is free
    KnownAllele known{};
  };

  static bool fits(std::string_view name) {
    return name.size() >= kWord && name.size() <= 2 * kWord;
  }
  static Ends ends_of(std::string_view name) {
    Ends ends;
    std::memcpy(&ends.first, name.data(), kWord);
    std::memcpy(&ends.last, name.data() + name.size() - kWord, kWord);
    return ends;
  }

  // A name that does not fit, as none does now, would be found by canonical_gene() all the same.
  void add(const Gene& gene, const std::string& name) {
    if (!fits(name)) return;
    const Ends ends = ends_of(name);
    std::size_t at = first_slot(ends);
    while (slots_[at].size != 0) at = next(at);
    const Loops* const loops = gene.segment == Segment::kV ? find_loops(name) : nullptr;
    slots_[at] = {ends, name.size(), {gene.chain, gene.segment, loops}};
  }
  [[nodiscard]] std::size_t first_slot(const Ends& ends) const {
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
    const std::uint64_t mixed = ((ends.first * kOdd) ^ ends.last) * kOdd;
    return static_cast<std::size_t>(mixed >> 32U) & (slots_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  std::vector<Slot> slots_;  // a power of two, most of them free
};

std::size_t place(Chain chain) { return chain == Chain::kAlpha ? 0 : 1; }
std::size_t place(Segment segment) { return segment == Segment::kV ? 0 : 1; }

}  // namespace

GeneIndex::GeneIndex(std::string_view csv) {
  const std::vector<TableRow> rows = table_rows(csv);
  genes_.reserve(rows.size());
  for (const TableRow& row : rows) genes_.push_back(gene_of(row));
  for (const Gene& gene : genes_) {
    by_name_.emplace(gene.name, &gene);
    names_[place(gene.chain)][place(gene.segment)].emplace_back(gene.name);
  }
  for (auto& of_chain : names_) {
    for (std::vector<std::string>& names : of_chain) std::sort(names.begin(), names.end());
  }
  add_spellings();
}

// IMGT's names come first, so that no other spelling can hide one.
void GeneIndex::add_spellings() {
  for (const Gene& gene : genes_) by_spelling_.emplace(squashed_gene(gene.name), &gene);
  std::map<std::string, std::vector<const Gene*>> families;
  for (const Gene& gene : genes_) {
    if (gene.use == GeneUse::kOrphon) continue;
    const std::string_view base = gene.name.substr(0, gene.name.find('/'));
    by_spelling_.emplace(squashed_gene(base), &gene);
    if (base != gene.name) by_spelling_.emplace(squashed_gene(base) + "DV", &gene);
    if (base.find('-') == std::string_view::npos) {
      by_spelling_.emplace(fmt::format("{}-1", base), &gene);
    }
    if (gene.segment == Segment::kJ) continue;
    families[std::string(base.substr(0, base.find('-')))].push_back(&gene);
  }
  for (auto& [family, members] : families) {
    std::vector<const Gene*> working;
    std::copy_if(members.begin(), members.end(), std::back_inserter(working),
                 [](const Gene* gene) { return gene->use == GeneUse::kFunctional; });
    if (working.empty()) working = members;
    if (working.size() == 1) by_spelling_.emplace(family, working.front());
  }
}

const Gene* GeneIndex::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const Gene* GeneIndex::find_spelling(std::string_view squashed) const {
  const auto found = by_spelling_.find(std::string(squashed));
  return found == by_spelling_.end() ? nullptr : found->second;
}

const std::vector<std::string>& GeneIndex::names(Chain chain, Segment segment) const {
  return names_[place(chain)][place(segment)];
}

const GeneIndex& gene_index() {
  static const GeneIndex index(human_tr_genes_csv());
  return index;
}

const KnownAllele* known_allele(std::string_view text) {
  static const AlleleIndex index(gene_index().genes());
  return index.find(text);
}

std::string squashed_gene(std::string_view name) {
  std::string out;
  if (name.substr(0, 3) == "TCR") {
    out = "TR";
    name.remove_prefix(3);
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    const bool starts_number = i == 0 || !is_digit(name[i - 1]);
    if (c == '0' && starts_number && i + 1 < name.size() && is_digit(name[i + 1])) {
      while (i + 1 < name.size() && name[i] == '0' && is_digit(name[i + 1])) ++i;
      c = name[i];
    }
    const std::string_view next = name.substr(i + 1, 2);
    if (c == '.' || c == '_') c = '-';
    // "TRBJ2S7" is TRBJ2-7; before IMGT, numbers of alpha J genes were others.
    if (c == 'S' && (out == "TRBJ1" || out == "TRBJ2")) c = '-';
    if (c == '/' || (c == '-' && (next == "DV" || next == "OR"))) continue;
    out += c;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::optional<GeneUse> gene_use(std::string_view gene, Chain chain, Segment segment) {
  const Gene* const found = gene_index().find(gene);
  if (found == nullptr || found->chain != chain || found->segment != segment) return std::nullopt;
  return found->use;
}

const std::vector<std::string>& gene_names(Chain chain, Segment segment) {
  return gene_index().names(chain, segment);
}

std::optional<Loops> loops_of(std::string_view v_allele) {
  const Loops* const found = find_loops(v_allele);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::vector<std::string> missing_loops() {
  std::vector<std::string> missing;
  for (const Chain chain : {Chain::kAlpha, Chain::kBeta}) {
    for (const std::string& gene : gene_names(chain, Segment::kV)) {
      const bool works = gene_use(gene, chain, Segment::kV) == GeneUse::kFunctional;
      if (works && !loops_of(gene)) missing.push_back(gene);
    }
  }
  return missing;
}

char j_anchor(std::string_view j_gene) {
  const Gene* const found = gene_index().find(without_allele(j_gene));
  return found == nullptr || found->segment != Segment::kJ ? 'F' : found->anchor;
}

}  // namespace tcrops::data

// The compiled-in tables of data/ and the index over them. Private to the module.
#pragma once

#include <tcrops/data/genes.hpp>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tcrops::data {

// The text of data/human_tr_genes.csv and data/v_cdr12.csv.
std::string_view human_tr_genes_csv();
std::string_view v_cdr12_csv();

struct Gene {
  std::string_view name;
  Chain chain;
  Segment segment;
  GeneUse use;
  int alleles;  // IMGT has *01 up to this
  char anchor;  // of a J gene: last letter of the CDR3
};

// Finds genes by name. Made once, on first use; immutable and thread-safe.
class GeneIndex {
 public:
  // Throws Error (kFailure) when the table is not as data/README.md says.
  explicit GeneIndex(std::string_view csv);

  // By IMGT's name; null when there is none.
  [[nodiscard]] const Gene* find(std::string_view name) const;
  // By another spelling, as squashed_gene() writes it: IMGT's own names, those without "/" and
  // "/DV5", "-1" behind a family of one, and a family for its only gene, or its only one that
  // works.
  [[nodiscard]] const Gene* find_spelling(std::string_view squashed) const;
  [[nodiscard]] const std::vector<std::string>& names(Chain chain, Segment segment) const;
  [[nodiscard]] const std::vector<Gene>& genes() const { return genes_; }

 private:
  void add_spellings();

  std::vector<Gene> genes_;
  std::unordered_map<std::string_view, const Gene*> by_name_;
  std::unordered_map<std::string, const Gene*> by_spelling_;
  std::vector<std::string> names_[2][2];
};

[[nodiscard]] const GeneIndex& gene_index();

// A name in capitals without blanks, brought to the form by which spellings are compared:
// "TCRBV06.05" becomes "TRBV6-5", "TRAV29/DV5" and "TRAV29-DV5" become "TRAV29DV5", "TRBJ1S2"
// "TRBJ1-2".
[[nodiscard]] std::string squashed_gene(std::string_view name);

}  // namespace tcrops::data

// Human T cell receptor genes as IMGT names them. The tables are compiled in from data/, and all
// functions are thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

enum class Chain { kAlpha, kBeta };
enum class Segment { kV, kJ };

// What IMGT says of a gene: it works (in one allele at least), it is an open reading frame or
// pseudogene, it stands outside the locus.
enum class GeneUse { kFunctional, kNotFunctional, kOrphon };

// A human gene by its name without allele ("TRAV29/DV5"); empty when IMGT knows none of that name.
[[nodiscard]] std::optional<GeneUse> gene_use(std::string_view gene, Chain chain, Segment segment);

// All names of one kind, sorted.
[[nodiscard]] const std::vector<std::string>& gene_names(Chain chain, Segment segment);

struct Loops {
  std::string cdr1;
  std::string cdr2;
};
// CDR1 and CDR2 (IMGT, without gaps) of a V allele ("TRAV27*01"); of a gene without allele and of
// an allele that the table lacks, those of the first allele it has (*01 nearly always). Empty when
// the table does not have the gene (missing_loops()).
[[nodiscard]] std::optional<Loops> loops_of(std::string_view v_allele);

// Functional V genes whose loops the table does not have; for people.
[[nodiscard]] std::vector<std::string> missing_loops();

// The conserved last letter of a CDR3 whose J gene this is (with or without allele): F, W or C. F
// when the gene is unknown.
[[nodiscard]] char j_anchor(std::string_view j_gene);

}  // namespace tcrops::data

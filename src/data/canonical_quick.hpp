// Most values are canonical already. These tell so at once: true only for a text that the function
// of the same name gives back as it stands, without a finding.
#pragma once

#include <tcrops/data/canonical.hpp>

#include <string_view>

namespace tcrops::data {

// Of a format whose CDR3s are whole.
[[nodiscard]] bool is_canonical_cdr3(std::string_view text);
[[nodiscard]] bool is_canonical_loop(std::string_view text);
[[nodiscard]] bool is_canonical_epitope(std::string_view text);
[[nodiscard]] bool is_canonical_mhc(std::string_view text);

// An allele that IMGT lists of a gene that works.
struct KnownAllele {
  Chain chain;
  Segment segment;
  const Loops* loops;  // of a V gene, or null; as loops_of()
};
// Null for any other text. Then canonical_gene() gives it back, for its chain and segment.
[[nodiscard]] const KnownAllele* known_allele(std::string_view text);

}  // namespace tcrops::data

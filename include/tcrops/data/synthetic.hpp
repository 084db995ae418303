#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tcrops::data {

// A made-up repertoire with known answers: TCRs with realistic gene usage and CDR3 lengths; each
// binds one of `epitopes` epitopes (equally many binders each) and, with probability
// `motif_strength`, carries that epitope's motif: four fixed letters after the V end of CDR3 beta
// (from position 5), three after that of CDR3 alpha (from position 4), the length of CDR3 beta, and
// mostly the V genes. The other binders look like any TCR.
struct SyntheticOptions {
  std::int64_t tcrs = 1200;
  std::int64_t epitopes = 6;
  double motif_strength = 0.9;
  double noise = 0.0;  // share of rows with the wrong label, drawn for each row by itself
};

// Writes the benchmark's ten columns as CSV: every TCR with every epitope, positive for its own,
// TCR by TCR; clone_id counts the TCRs from 0.0. The same options and seed give the same bytes, and
// noise changes nothing but labels; memory does not grow with `tcrs`. `write` receives consecutive
// pieces. Throws Error (kConfiguration).
void generate_synthetic(const SyntheticOptions& options, std::uint64_t seed,
                        const std::function<void(std::string_view)>& write);

// What was planted, for judging what a model finds. {"schema": "tcrops.synthetic_truth/1", "seed",
// "tcrs", "rows", "motif_strength", "gene_loyalty" (share of the binders with the motif that also
// use the epitope's V genes), "noise", "epitopes": per epitope {"epitope", "mhc", "CDR3_alpha":
// {"motif", "position"}, "CDR3_beta": {"motif", "position", "length"}, "V_alpha", "V_beta"}}. The
// position is that of the motif's first letter, from 1 at the conserved C. Throws as above.
[[nodiscard]] Json synthetic_truth(const SyntheticOptions& options, std::uint64_t seed);

}  // namespace tcrops::data

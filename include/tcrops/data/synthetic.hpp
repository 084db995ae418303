#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tcrops::data {

// A made-up repertoire with known answers: TCRs with realistic gene usage and CDR3 lengths; each
// binds one of `epitopes` epitopes and, with probability `motif_strength`, carries that epitope's
// motif (a V-beta preference and fixed letters in the middle of CDR3 beta and CDR3 alpha).
struct SyntheticOptions {
  std::int64_t tcrs = 1200;
  std::int64_t epitopes = 6;
  double motif_strength = 0.9;
};

// Writes the benchmark's ten columns as CSV: every TCR with every epitope, positive for its own.
// The same options and seed give the same bytes. `write` receives consecutive pieces.
void generate_synthetic(const SyntheticOptions& options, std::uint64_t seed,
                        const std::function<void(std::string_view)>& write);

}  // namespace tcrops::data

// What the encoders know of the 20 amino acids.
#pragma once

#include <tcrops/data/expansion.hpp>

#include <string>

namespace tcrops::data {

// The table of encoder `name` ("onehot", "blosum", "blosum_mds", "learned", see encoder_names):
// code 0 is the gap, code k the k-th letter of kAminoAcids.
[[nodiscard]] Expansion::Table amino_acid_table(const std::string& name);

// BLOSUM62 of the letters with these positions in kAminoAcids.
[[nodiscard]] int blosum62(std::size_t a, std::size_t b);

}  // namespace tcrops::data

#pragma once

#include <tcrops/core/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tcrops::data {

// One histogram of a fingerprint. Lengths have a bin per length (the last also takes what is
// longer), letters one per amino acid in alphabetical order, label negative, positive, unknown; in
// the other blocks a name (a gene without its allele) falls into the bin of its hash.
struct FingerprintBlock {
  std::string_view name;
  std::size_t bins;
};
inline constexpr std::array<FingerprintBlock, 14> kFingerprintBlocks = {{
    {"length_alpha", 41},
    {"length_beta", 41},
    {"length_epitope", 51},
    {"V_alpha", 256},
    {"V_beta", 256},
    {"J_alpha", 128},
    {"J_beta", 64},
    {"letters_alpha", 20},
    {"letters_beta", 20},
    {"3mers_alpha", 256},
    {"3mers_beta", 256},
    {"epitope", 256},
    {"MHC", 128},
    {"label", 3},
}};
inline constexpr std::size_t kFingerprintSize = [] {
  std::size_t size = 0;
  for (const FingerprintBlock& block : kFingerprintBlocks) size += block.bins;
  return size;
}();
inline constexpr std::string_view kFingerprintSchema = "tcrops.fingerprint/1";

// What a dataset looks like, equally long for every dataset. Whole numbers, so that one read from a
// file is the one that was written.
struct Fingerprint {
  // All blocks one after the other; shares in millionths of the block's counts, rounded. All 0 in a
  // block of which the dataset has no value.
  std::array<std::uint32_t, kFingerprintSize> values{};

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Bin of a name in a block of `bins`: FNV-1a (64 bit), whose digits are mixed by the
// finalizer of MurmurHash3 (64 bit) so that similar names part, modulo.
[[nodiscard]] std::size_t fingerprint_bin(std::string_view name, std::size_t bins);

// A fingerprint of counts, one per bin of all blocks in their order.
[[nodiscard]] Fingerprint fingerprint_of_counts(
    const std::array<std::uint64_t, kFingerprintSize>& counts);

// {"schema": "tcrops.fingerprint/1", "blocks": {<name>: [share in millionths, …]}}.
[[nodiscard]] Json to_json(const Fingerprint& fingerprint);
// The opposite; empty for anything else, as another version or null.
[[nodiscard]] std::optional<Fingerprint> fingerprint_from_json(const Json& json);
// That of a profile (data/profile.hpp); empty when it has none.
[[nodiscard]] std::optional<Fingerprint> fingerprint_of_profile(const Json& profile);

struct FingerprintDistance {
  double mean = 0;  // over the blocks that count; 0 when none does
  // Hellinger distance of each block's shares, sqrt(sum (sqrt p - sqrt q)^2 / 2). Both without a
  // value: does not count. One of them: 1.
  std::array<std::optional<double>, kFingerprintBlocks.size()> blocks;
};

// In [0, 1]: 0 for equal shares, 1 for nothing in common. Symmetric. Small samples of one source
// are some way apart: their rare 3-mers differ by chance.
[[nodiscard]] FingerprintDistance distance(const Fingerprint& one, const Fingerprint& other);
// {"distance": mean, "blocks": {<name>: distance or null}}.
[[nodiscard]] Json to_json(const FingerprintDistance& distance);

}  // namespace tcrops::data

// Histograms that a profile and a fingerprint are made of.
#pragma once

#include "letters.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/data/record.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tcrops::data {

// Counts of names; beyond kProfileNames distinct ones, new names are counted together.
class NameCounts {
 public:
  void add(const std::string& name);
  [[nodiscard]] const std::unordered_map<std::string, std::uint64_t>& counts() const {
    return counts_;
  }
  // {<name>: count}; what was counted together stands under "(others)".
  [[nodiscard]] Json json() const;

 private:
  std::unordered_map<std::string, std::uint64_t> counts_;
  std::uint64_t others_ = 0;
};

// Counts of lengths; a value that is not there has none.
class LengthCounts {
 public:
  void add(const std::string& value);
  [[nodiscard]] Json json() const;  // {<length>: count}; null when nothing was counted
  // Adds to one bin per length; the last takes the longer ones.
  void add_to(std::span<std::uint64_t> bins) const;

 private:
  std::vector<std::uint64_t> counts_;  // by length
};

// Letters, letters by position and 3-mers of one CDR3.
class LetterCounts {
 public:
  void add(const std::string& cdr3);
  [[nodiscard]] Json letters() const;    // null when nothing was counted
  [[nodiscard]] Json positions() const;  // null when nothing was counted
  [[nodiscard]] Json kmers() const;      // null when nothing was counted

  // Adds to one bin per amino acid, and to bins of 3-mers.
  void add_letters(std::span<std::uint64_t> bins) const;
  void add_kmers(std::span<std::uint64_t> bins) const;

 private:
  static constexpr std::size_t kLetters = kAminoAcids.size();
  static constexpr std::size_t kPlaces = 12;  // each way

  std::array<std::uint64_t, 256> by_byte_{};
  std::array<std::array<std::uint64_t, kLetters>, 2 * kPlaces> by_place_{};
  std::vector<std::uint64_t> by_kmer_ =
      std::vector<std::uint64_t>(kLetters * kLetters * kLetters, 0);
};

}  // namespace tcrops::data

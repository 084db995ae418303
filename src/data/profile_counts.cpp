#include "profile_counts.hpp"

#include <tcrops/data/profile.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

constexpr std::size_t kNoLetter = kAminoAcids.size();
constexpr std::size_t kKmer = 3;

// Number of an amino acid by its byte; kNoLetter for others.
constexpr std::array<std::uint8_t, 256> kLetterNumbers = [] {
  std::array<std::uint8_t, 256> numbers{};
  for (auto& number : numbers) number = static_cast<std::uint8_t>(kNoLetter);
  for (std::size_t i = 0; i < kAminoAcids.size(); ++i) {
    numbers[static_cast<unsigned char>(kAminoAcids[i])] = static_cast<std::uint8_t>(i);
  }
  return numbers;
}();

std::size_t letter_number(char c) { return kLetterNumbers[static_cast<unsigned char>(c)]; }

std::string kmer_name(std::size_t number) {
  std::string name(kKmer, ' ');
  for (std::size_t i = kKmer; i > 0; --i) {
    name[i - 1] = kAminoAcids[number % kAminoAcids.size()];
    number /= kAminoAcids.size();
  }
  return name;
}

void count_in(Json& json, const std::string& name, std::uint64_t count) {
  Json& entry = json[name];
  entry = entry.is_null() ? count : entry.get<std::uint64_t>() + count;
}

}  // namespace

void NameCounts::add(const std::string& name) {
  const auto at = counts_.find(name);
  if (at != counts_.end()) {
    ++at->second;
  } else if (counts_.size() < kProfileNames) {
    counts_.emplace(name, 1);
  } else {
    ++others_;
  }
}

Json NameCounts::json() const {
  Json json = Json::object();
  for (const auto& [name, count] : counts_) count_in(json, valid_utf8(name), count);
  if (others_ > 0) count_in(json, "(others)", others_);
  return json;
}

void LengthCounts::add(const std::string& value) {
  if (value.empty()) return;
  if (counts_.size() <= value.size()) counts_.resize(value.size() + 1);
  ++counts_[value.size()];
}

Json LengthCounts::json() const {
  Json json;
  for (std::size_t length = 0; length < counts_.size(); ++length) {
    if (counts_[length] > 0) json[std::to_string(length)] = counts_[length];
  }
  return json;
}

void LengthCounts::add_to(std::span<std::uint64_t> bins) const {
  for (std::size_t i = 0; i < counts_.size(); ++i) bins[std::min(i, bins.size() - 1)] += counts_[i];
}

void LetterCounts::add(const std::string& cdr3) {
  const std::size_t size = cdr3.size();
  const std::size_t half = (size + 1) / 2;
  std::size_t kmer = 0;
  std::size_t run = 0;  // amino acids since the last letter that is none
  for (std::size_t i = 0; i < size; ++i) {
    ++by_byte_[static_cast<unsigned char>(cdr3[i])];
    const std::size_t letter = letter_number(cdr3[i]);
    if (letter == kNoLetter) {
      run = 0;
      continue;
    }
    const std::size_t place = i < half ? i : size - 1 - i;
    if (place < kPlaces) ++by_place_[place + (i < half ? 0 : kPlaces)][letter];
    kmer = (kmer * kLetters + letter) % by_kmer_.size();
    if (++run >= kKmer) ++by_kmer_[kmer];
  }
}

Json LetterCounts::letters() const {
  Json json;
  for (std::size_t byte = 0; byte < by_byte_.size(); ++byte) {
    if (by_byte_[byte] == 0) continue;
    const char c = static_cast<char>(byte);
    count_in(json, is_printable(c) ? std::string(1, c) : "(other)", by_byte_[byte]);
  }
  return json;
}

Json LetterCounts::positions() const {
  Json json;
  for (std::size_t p = 0; p < by_place_.size(); ++p) {
    const std::string place = fmt::format("{}{}", p < kPlaces ? "" : "-", p % kPlaces + 1);
    for (std::size_t letter = 0; letter < kLetters; ++letter) {
      if (by_place_[p][letter] == 0) continue;
      json[fmt::format("{} {}", place, kAminoAcids[letter])] = by_place_[p][letter];
    }
  }
  return json;
}

Json LetterCounts::kmers() const {
  std::vector<std::size_t> seen;
  std::uint64_t total = 0;
  for (std::size_t kmer = 0; kmer < by_kmer_.size(); ++kmer) {
    if (by_kmer_[kmer] > 0) seen.push_back(kmer);
    total += by_kmer_[kmer];
  }
  if (seen.empty()) return nullptr;
  // Numbers rise with names.
  std::stable_sort(seen.begin(), seen.end(),
                   [this](std::size_t a, std::size_t b) { return by_kmer_[a] > by_kmer_[b]; });
  Json top = Json::object();
  for (std::size_t i = 0; i < std::min(seen.size(), kProfileKmers); ++i) {
    top[kmer_name(seen[i])] = by_kmer_[seen[i]];
  }
  return {{"total", total}, {"distinct", seen.size()}, {"top", std::move(top)}};
}

void LetterCounts::add_letters(std::span<std::uint64_t> bins) const {
  for (std::size_t byte = 0; byte < by_byte_.size(); ++byte) {
    const std::size_t letter = kLetterNumbers[byte];
    if (letter != kNoLetter) bins[letter] += by_byte_[byte];
  }
}

void LetterCounts::add_kmers(std::span<std::uint64_t> bins) const {
  for (std::size_t kmer = 0; kmer < by_kmer_.size(); ++kmer) {
    if (by_kmer_[kmer] > 0) bins[fingerprint_bin(kmer_name(kmer), bins.size())] += by_kmer_[kmer];
  }
}

}  // namespace tcrops::data

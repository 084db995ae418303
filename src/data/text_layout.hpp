// How texts lie in a row of codes, and what the encoders' JSON says of it.
#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/encoder.hpp>

#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Columns that are padded to one common length.
enum class TextGroup : std::size_t { kCdr3 = 0, kEpitope, kGene, kLoop };
inline constexpr std::size_t kTextGroupCount = 4;
inline constexpr std::array<const char*, kTextGroupCount> kGroupNames = {"cdr3", "epitope", "gene",
                                                                         "loop"};
using GroupWidths = std::array<std::size_t, kTextGroupCount>;
// The group of a text column.
[[nodiscard]] TextGroup group_of(Column column);

// In column order and each once. Throws Error (kConfiguration) for none.
[[nodiscard]] std::vector<Column> ordered_features(const std::vector<Column>& features);

// What each byte of a text is stored as; 0: it is not in the alphabet.
using LetterCodes = std::array<std::uint8_t, 256>;
// Writes the codes of one text into `places`, which hold zeros. False, with anything written, when
// a letter has no code or there are more than places.
[[nodiscard]] bool place_codes(std::string_view text, const LetterCodes& codes, Padding padding,
                               std::span<std::uint8_t> places);

// Appends a row of zeros, of these widths, and returns its codes. Throws as append_row.
[[nodiscard]] std::span<std::uint8_t> append_zeros(std::size_t code_width, std::size_t number_width,
                                                   EncodedRows& to);
// A `to` that it leaves without rows takes any widths again.
void drop_last_row(EncodedRows& to);

// Of a text of `letters` where there are `places`; empty when it fits.
[[nodiscard]] std::optional<EncodeFault> length_fault(Column column, std::size_t letters,
                                                      std::size_t places);

// Throws Error (kArtifact) for a part of an encoder's JSON.
[[noreturn]] void corrupt(const std::string& problem);
[[nodiscard]] std::vector<Column> features_from_json(const Json& names);
[[nodiscard]] Json features_to_json(const std::vector<Column>& features);
// Exactly the `groups`, each from 0 to kLongestText.
[[nodiscard]] GroupWidths widths_from_json(const Json& widths, const std::set<TextGroup>& groups);
[[nodiscard]] Json widths_to_json(const GroupWidths& widths, const std::set<TextGroup>& groups);
void require_version(const Json& description, int version);

}  // namespace tcrops::data

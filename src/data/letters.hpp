// Which characters a value may have, how many, and how a message shows one.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace tcrops::data {

inline constexpr std::string_view kAminoAcids = "ACDEFGHIKLMNPQRSTVWY";
// Characters in one value; what is longer is no gene or CDR3, and no encoder takes it.
inline constexpr std::size_t kLongestText = 255;

inline bool is_printable(char c) { return c >= ' ' && c <= '~'; }

inline std::string shown(char c) {
  if (is_printable(c)) return fmt::format("letter '{}'", c);
  return fmt::format("byte 0x{:02X}", static_cast<unsigned char>(c));
}

}  // namespace tcrops::data

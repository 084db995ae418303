#include "encoding.hpp"

#include <tcrops/core/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace tcrops::data {
namespace {

// The upper half of Windows-1252 as Unicode; 0 where it has no character.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6U);
    out += static_cast<char>(0x80 | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xE0 | code >> 12U);
    out += static_cast<char>(0x80 | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  }
}

std::string from_windows_1252(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    unsigned code = byte;
    if (byte >= 0x80 && byte < 0xA0) code = kWindows1252.at(byte - 0x80U);
    append_utf8(out, code == 0 ? 0xFFFDU : code);
  }
  return out;
}

}  // namespace

std::string as_utf8(const std::string& text) {
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return is_ascii || valid_utf8(text) == text ? text : from_windows_1252(text);
}

}  // namespace tcrops::data

// What the canonical_* functions share: trimming, capitals, and how a message shows a text.
#pragma once

#include <tcrops/data/canonical.hpp>

#include <string>
#include <string_view>

namespace tcrops::data {

[[nodiscard]] inline bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] inline bool is_number(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] std::string_view trimmed(std::string_view text);
// ASCII letters as capitals; the length stays.
[[nodiscard]] std::string in_capitals(std::string_view text);
// A name for a message: at most 40 bytes of it, what does not print as '?'.
[[nodiscard]] std::string shown_name(std::string_view text);

// A result that begins with the note that blanks around the text were taken away, if there were
// any.
[[nodiscard]] Canonical begun(std::string_view text);
[[nodiscard]] Canonical refused(std::string_view code, std::string reason);

}  // namespace tcrops::data

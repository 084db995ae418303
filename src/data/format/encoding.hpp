// What the bytes of a file stand for.
#pragma once

#include <string>

namespace tcrops::data {

// The text itself when it is UTF-8. Only old exports are not, and those are Windows-1252.
[[nodiscard]] std::string as_utf8(const std::string& text);

}  // namespace tcrops::data

#pragma once

#include <string_view>

namespace tcrops {

[[nodiscard]] std::string_view version();  // "0.1.0"
[[nodiscard]] std::string_view
revision();  // of the sources, with "-dirty" when changed, or "unknown"
[[nodiscard]] std::string_view revision_date();  // "2026-01-31"; 1970-01-01 when unknown

}  // namespace tcrops

#pragma once

#include <string_view>

namespace tcrops {

[[nodiscard]] std::string_view version();  // "0.1.0"
[[nodiscard]] std::string_view
revision();  // of the sources when they were configured, or "unknown"

}  // namespace tcrops

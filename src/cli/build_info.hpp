#pragma once

#include <tcrops/core/json.hpp>

#include <string>

namespace tcrops::cli {

// Which build this is, known without loading LibTorch.
[[nodiscard]] std::string build_text();     // "tcrops 0.1.0 (3f1c…)"
[[nodiscard]] std::string compiler_text();  // "GCC 12.2.0"
[[nodiscard]] Json build_json();            // tcrops.version/1

}  // namespace tcrops::cli

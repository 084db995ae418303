#pragma once

#include <fmt/format.h>

#include <string_view>

namespace tcrops {

// Messages for people, all on stderr; stdout carries results only.
enum class Verbosity { kQuiet, kNormal, kVerbose };

// Call once at start. Quiet shows warnings and errors only. Colour only on a terminal and without
// NO_COLOR.
void set_verbosity(Verbosity verbosity);
[[nodiscard]] Verbosity verbosity();

void log_debug(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

}  // namespace tcrops

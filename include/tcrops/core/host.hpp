#pragma once

#include <chrono>
#include <string>

namespace tcrops {

// "2026-01-31T12:00:00Z". For records of when something was done; nothing may depend on it.
[[nodiscard]] std::string utc_now();
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point time);
[[nodiscard]] std::string host_name();  // "" when the system does not say
[[nodiscard]] std::string user_name();  // of the account; its number when it has no name

}  // namespace tcrops

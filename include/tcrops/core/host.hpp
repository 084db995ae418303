#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tcrops {

// "2026-01-31T12:00:00Z". For records of when something was done; nothing may depend on it.
[[nodiscard]] std::string utc_now();
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point time);
// The opposite, also of a day alone, "2026-01-31", which begins at midnight UTC. Empty for anything
// else.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> utc_time(
    const std::string& text);
[[nodiscard]] std::string host_name();  // "" when the system does not say
[[nodiscard]] std::string user_name();  // of the account; its number when it has no name
// Memory that this process holds now, after what it can do without was given back; 0 when the
// system does not say.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace tcrops

#pragma once

#include <tcrops/db/database.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tcrops::serve {

// Sums are kept by the minute and by the hour.
inline constexpr std::int64_t kShortSpan = 60;
inline constexpr std::int64_t kLongSpan = 3600;

// Opens a query log; makes the file, which only its owner may read, and the tables where there are
// none. Throws Error: kArtifact for a file that is something else or of a newer format.
[[nodiscard]] db::Database make_query_log(const std::filesystem::path& file, double busy_seconds);

// The same for a log that must be there; empty when it is not, or has no tables yet.
[[nodiscard]] std::optional<db::Database> open_query_log(const std::filesystem::path& file,
                                                         double busy_seconds);

}  // namespace tcrops::serve

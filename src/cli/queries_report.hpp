#pragma once

#include <tcrops/serve/queries.hpp>

#include <string>

namespace tcrops::cli {

[[nodiscard]] std::string queries_text(const serve::QueryPage& page);
[[nodiscard]] std::string query_text(const serve::QueryDetail& detail);
// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string shown_time(double seconds);

}  // namespace tcrops::cli

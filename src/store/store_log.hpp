#pragma once

#include <tcrops/core/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tcrops::store {

// The store's append-only log: one JSON object per line, each with "previous", the SHA-256 of the
// line before it (64 zeros for the first). A line that a crash cut off is removed by the next
// append; it never counted.

// Adds an entry and makes it durable. `entry` must not have the key "previous".
void append_log(const std::filesystem::path& root, Json entry);

struct LogContents {
  std::vector<Json> entries;
  std::vector<std::string> problems;  // broken chain or unreadable line, with line number
};
[[nodiscard]] LogContents read_log(const std::filesystem::path& root);

// A member of what was read back, which may be damaged: "" when it is no text.
[[nodiscard]] std::string text_of(const Json& object, const std::string& key);

}  // namespace tcrops::store

#pragma once

#include <tcrops/core/json.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::store {

struct LogContents {
  std::vector<Json> entries;
  std::vector<std::string> hashes;    // SHA-256 of each entry's line
  std::vector<std::string> problems;  // broken chain or unreadable line, with line number
};

// An append-only file of one JSON object per line, each with "previous", the SHA-256 of the line
// before it (64 zeros for the first). A line that a crash cut off is removed by the next append; it
// never counted. Processes on several machines may append at once.
class HashLog {
 public:
  // `lock` is a file beside it that appending processes lock in turn.
  HashLog(std::filesystem::path path, std::filesystem::path lock);

  // Adds an entry, which must not have the key "previous", and makes it durable. Returns its hash.
  std::string append(Json entry) const;
  // Lets `decide` see the log and choose what to add, while nobody else can append. Returns the
  // hash of what was added, or "" when it was nothing.
  std::string append_after(
      const std::function<std::optional<Json>(const LogContents&)>& decide) const;

  [[nodiscard]] LogContents read() const;
  // Its bytes as they are, without a look at the chain; "" when there is no log yet.
  [[nodiscard]] std::string read_unchecked() const;

 private:
  std::filesystem::path path_;
  std::filesystem::path lock_;
};

// The lines of a log's bytes, without their newlines and without one that was cut off.
[[nodiscard]] std::vector<std::string_view> whole_lines(std::string_view bytes);

// The store's own log of what was published, imported, removed and promoted.
[[nodiscard]] HashLog store_log(const std::filesystem::path& root);

// A member of what was read back, which may be damaged: "" when it is no text.
[[nodiscard]] std::string text_of(const Json& object, const std::string& key);

}  // namespace tcrops::store

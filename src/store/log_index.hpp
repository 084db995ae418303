#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tcrops::store {

// What the store's log says of its artifacts, also of those that are gone: read once, asked often.
class LogIndex {
 public:
  explicit LogIndex(std::filesystem::path root);

  // The line that brought it in, the last one if there are several; null when there is none.
  [[nodiscard]] const Json& line_of(const std::string& id) const;
  // Whether the log has noted this hash of its run.json.
  [[nodiscard]] bool has_run(const std::string& id, const std::string& sha256) const;
  // See Store::keys_of.
  [[nodiscard]] std::vector<ReuseKey> keys_of(const std::string& id) const;

 private:
  struct Noted {
    Json line;
    std::set<std::string> runs;
    std::set<std::string> keys;
  };
  std::filesystem::path root_;
  std::map<std::string, Noted> noted_;
};

// keys/<2>/<digest>.json
[[nodiscard]] std::filesystem::path key_path(const std::filesystem::path& root,
                                             const std::string& digest);
// The artifact that a key points at; "" when there is no such key or it is damaged.
[[nodiscard]] std::string key_target(const std::filesystem::path& root, const std::string& digest);

}  // namespace tcrops::store

#include "log_index.hpp"

#include "folder.hpp"
#include "hash_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>

#include <utility>

namespace tcrops::store {
namespace {

Json read_key(const std::filesystem::path& path) {
  try {
    const Json key = parse_json(read_file(path, ExitCode::kArtifact), path.string());
    return key.is_object() ? key : Json::object();
  } catch (const Error&) {
    return Json::object();
  }
}

}  // namespace

std::filesystem::path key_path(const std::filesystem::path& root, const std::string& digest) {
  return root / "keys" / digest.substr(0, 2) / (digest + ".json");
}

std::string key_target(const std::filesystem::path& root, const std::string& digest) {
  return text_of(read_key(key_path(root, digest)), "artifact");
}

LogIndex::LogIndex(std::filesystem::path root) : root_(std::move(root)) {
  const std::string bytes = store_log(root_).read_unchecked();
  for (const std::string_view text : whole_lines(bytes)) {
    Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) continue;
    const std::string event = text_of(line, "event");
    const bool brings = event == "publish" || event == "import";
    if (!brings && event != "key") continue;
    Noted& noted = noted_[text_of(line, "id")];
    if (const std::string key = text_of(line, "key"); is_id(key)) noted.keys.insert(key);
    if (!brings) continue;
    noted.runs.insert(text_of(line, "run_sha256"));
    noted.line = std::move(line);
  }
}

const Json& LogIndex::line_of(const std::string& id) const {
  static const Json kNone;
  const auto at = noted_.find(id);
  return at == noted_.end() ? kNone : at->second.line;
}

bool LogIndex::has_run(const std::string& id, const std::string& sha256) const {
  const auto at = noted_.find(id);
  return at != noted_.end() && at->second.runs.contains(sha256);
}

std::vector<ReuseKey> LogIndex::keys_of(const std::string& id) const {
  std::vector<ReuseKey> keys;
  const auto at = noted_.find(id);
  if (at == noted_.end()) return keys;
  for (const std::string& digest : at->second.keys) {
    const Json pointer = read_key(key_path(root_, digest));
    if (text_of(pointer, "artifact") != id || !pointer.contains("inputs")) continue;
    try {
      ReuseKey key = reuse_key_from_json(pointer["inputs"], digest);
      if (key.digest() == digest) keys.push_back(std::move(key));
    } catch (const Error&) {
      // Store::verify tells of it.
    }
  }
  return keys;
}

std::vector<ReuseKey> Store::keys_of(const std::string& id) const {
  return LogIndex(root_).keys_of(id);
}

}  // namespace tcrops::store

// What is in the store, from the log: opening every manifest would take minutes in a large one.
#include "folder.hpp"
#include "hash_log.hpp"
#include "quick_line.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/store/store.hpp>

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace tcrops::store {
namespace {

bool brings_an_artifact(std::string_view event) { return event == "publish" || event == "import"; }

// None when the line is of another kind or lacks what a catalog needs.
std::optional<CatalogEntry> from_json(const Json& line) {
  if (!line.is_object() || !brings_an_artifact(text_of(line, "event"))) return std::nullopt;
  try {
    CatalogEntry entry;
    entry.id = line.at("id").get<std::string>();
    entry.kind = line.at("kind").get<std::string>();
    entry.stage = line.at("stage").get<std::string>();
    entry.time = line.at("time").get<std::string>();
    entry.bytes = line.at("bytes").get<std::uint64_t>();
    entry.parents = line.at("parents").get<std::map<std::string, std::string>>();
    entry.key = text_of(line, "key");
    return entry;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool has_all(const QuickLine& line) {
  return !line.id.empty() && !line.kind.empty() && !line.stage.empty() && !line.time.empty() &&
         line.bytes && line.parents;
}

std::optional<CatalogEntry> from_log(std::string_view text) {
  const auto line = read_quickly(text);
  if (line && !line->event.empty() && !brings_an_artifact(line->event)) return std::nullopt;
  if (!line || !has_all(*line)) return from_json(Json::parse(text, nullptr, /*exceptions=*/false));
  CatalogEntry entry;
  entry.id = line->id;
  entry.kind = line->kind;
  entry.stage = line->stage;
  entry.time = line->time;
  entry.bytes = *line->bytes;
  for (const auto& [role, parent] : *line->parents) entry.parents.emplace(role, parent);
  entry.key = line->key;
  return entry;
}

CatalogEntry from_manifest(const Store& store, const std::string& id) {
  CatalogEntry entry;
  entry.id = id;
  try {
    const Manifest manifest = store.at(id).manifest;
    entry.kind = kind_name(manifest.kind);
    entry.stage = manifest.stage;
    entry.parents = manifest.parents;
    for (const auto& [name, file] : manifest.files.items()) {
      entry.bytes += file.at("bytes").get<std::uint64_t>();
    }
  } catch (const Error&) {
    // Damaged, or removed meanwhile: its kind stays "".
  }
  return entry;
}

}  // namespace

std::vector<std::string> Store::list() const {
  std::vector<std::string> ids;
  for (const auto& group : entries_of(root_ / "artifacts")) {
    if (!group.is_directory()) continue;
    for (const auto& entry : entries_of(group.path())) {
      const std::string& path = entry.path().native();
      std::string id = path.substr(path.rfind('/') + 1);
      if (is_id(id)) ids.push_back(std::move(id));  // else something that a file system left there
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<CatalogEntry> Store::catalog() const {
  const auto ids = list();
  std::unordered_set<std::string> present(ids.begin(), ids.end());
  std::vector<CatalogEntry> entries;
  // The last line of an id counts: it may have been removed and made again. So back to front.
  const std::string log = store_log(root_).read_unchecked();
  const auto lines = whole_lines(log);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::optional<CatalogEntry> entry = from_log(*line);
    if (entry && present.erase(entry->id) > 0) entries.push_back(*std::move(entry));
  }
  std::reverse(entries.begin(), entries.end());
  for (const std::string& id : ids) {
    if (present.contains(id)) entries.push_back(from_manifest(*this, id));
  }
  return entries;
}

}  // namespace tcrops::store

#include "archive_format.hpp"

#include "folder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tcrops::store {
namespace {

constexpr const char* kFormat = "tcrops-archive/1";
constexpr std::size_t kLongestName = 200;

bool is_plain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '+';
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_plain_character);
}

// What a reference may hold: it is shown to people.
bool is_reference(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_plain_character(c) || c == '@'; });
}

Json unsigned_json(const ArchiveIndex& index) {
  Json json = {{"format", kFormat},
               {"roots", Json::array()},
               {"artifacts", index.artifacts},
               {"records", Json::object()}};
  for (const ArchiveRoot& root : index.roots) {
    json["roots"].push_back({{"reference", root.reference}, {"id", root.id}});
  }
  for (const auto& [id, hashes] : index.records) {
    json["records"][id] = {{"run_sha256", hashes.run}, {"keys_sha256", hashes.keys}};
  }
  return json;
}

void require(bool holds, const std::string& name, const std::string& problem) {
  if (holds) return;
  throw Error(
      ExitCode::kInputData,
      fmt::format("{}: {}; write the archive anew with `tcrops artifacts export`", name, problem));
}

void check_index(const ArchiveIndex& index, const std::string& name) {
  const std::set<std::string> ids(index.artifacts.begin(), index.artifacts.end());
  require(std::all_of(ids.begin(), ids.end(), is_id), name, "an id is not a SHA-256");
  require(ids.size() == index.artifacts.size(), name, "an artifact is named twice");
  const bool complete = std::all_of(ids.begin(), ids.end(),
                                    [&](const auto& id) { return index.records.contains(id); });
  require(complete && index.records.size() == ids.size(), name,
          "artifacts and records do not agree");
  require(!index.roots.empty(), name, "it names no root");
  for (const ArchiveRoot& root : index.roots) {
    require(ids.contains(root.id), name, "a root is not among its artifacts");
    require(is_reference(root.reference), name, "a root's name is not plain");
  }
}

ArchiveIndex index_from_json(const Json& json) {
  ArchiveIndex index;
  for (const Json& root : json.at("roots")) {
    index.roots.push_back(
        {root.at("reference").get<std::string>(), root.at("id").get<std::string>()});
  }
  index.artifacts = json.at("artifacts").get<std::vector<std::string>>();
  for (const auto& [id, hashes] : json.at("records").items()) {
    index.records[id] = {hashes.at("run_sha256").get<std::string>(),
                         hashes.at("keys_sha256").get<std::string>()};
  }
  return index;
}

}  // namespace

std::string index_to_bytes(const ArchiveIndex& index) {
  Json json = unsigned_json(index);
  json["sha256"] = sha256_hex(canonical_json(json));
  return canonical_json(json);
}

ArchiveIndex index_from_bytes(const std::string& bytes, const std::string& name) {
  const Json json = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  require(json.is_object(), name, "not valid JSON");
  const Json format = json.value("format", Json());
  require(format.is_string(), name, "not the index of an archive");
  if (format != kFormat) {
    throw Error(ExitCode::kInputData,
                fmt::format("{}: format {} is not {}; use the version of tcrops that wrote it",
                            name, format.dump(), kFormat));
  }
  try {
    ArchiveIndex index = index_from_json(json);
    check_index(index, name);
    require(index_to_bytes(index) == bytes, name, "it was changed after it was written");
    return index;
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kInputData, fmt::format("{}: not an index: {}", name, e.what()));
  }
}

std::string artifact_entry(const std::string& id, const std::string& file) {
  return fmt::format("artifacts/{}/{}", id, file);
}

std::string keys_entry(const std::string& id) { return fmt::format("keys/{}.json", id); }

std::string keys_to_bytes(const std::vector<ReuseKey>& keys) {
  Json json = Json::array();
  for (const ReuseKey& key : keys) json.push_back(key.to_json());
  return canonical_json(json);
}

std::vector<ReuseKey> keys_from_bytes(const std::string& bytes, const std::string& name,
                                      const Manifest& manifest) {
  std::vector<ReuseKey> keys;
  for (const Json& json : parse_json(bytes, name)) {
    ReuseKey key = reuse_key_from_json(json, name);
    if (!answers(manifest, key)) {
      throw Error(ExitCode::kArtifact, fmt::format("{}: a key of another artifact", name));
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

void check_names(const Manifest& manifest, const std::string& name) {
  for (const auto& [file, entry] : manifest.files.items()) {
    if (!is_plain_name(file) || file == "manifest.json" || file == "run.json") {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: {} is no name for an artifact's file", name, Json(file).dump()));
    }
  }
  for (const auto& [role, parent] : manifest.parents) {
    if (!is_id(parent)) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: its {} is not an id", name, Json(role).dump()));
    }
  }
}

}  // namespace tcrops::store

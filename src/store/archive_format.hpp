#pragma once

#include <tcrops/store/archive.hpp>

#include <map>
#include <string>
#include <vector>

namespace tcrops::store {

inline constexpr const char* kIndexEntry = "tcrops-archive.json";  // always the first

// Hashes of what an artifact's id does not cover.
struct RecordHashes {
  std::string run;   // of run.json
  std::string keys;  // of its reuse keys
};

struct ArchiveIndex {
  std::vector<ArchiveRoot> roots;
  std::vector<std::string> artifacts;  // ids, parents first
  std::map<std::string, RecordHashes> records;
};
[[nodiscard]] std::string index_to_bytes(const ArchiveIndex& index);
// kInputData when it is none or was changed.
[[nodiscard]] ArchiveIndex index_from_bytes(const std::string& bytes, const std::string& name);

// Paths of the entries. The order in the archive is: index, then for each artifact its manifest,
// its run record, its reuse keys, and its files by name.
[[nodiscard]] std::string artifact_entry(const std::string& id, const std::string& file);
[[nodiscard]] std::string keys_entry(const std::string& id);

[[nodiscard]] std::string keys_to_bytes(const std::vector<ReuseKey>& keys);
// kArtifact when they are none, or belong to another artifact than the manifest's.
[[nodiscard]] std::vector<ReuseKey> keys_from_bytes(const std::string& bytes,
                                                    const std::string& name,
                                                    const Manifest& manifest);

// kArtifact when a manifest names files or parents that an archive cannot hold: a file's name is
// plain, a parent is an id.
void check_names(const Manifest& manifest, const std::string& name);

}  // namespace tcrops::store

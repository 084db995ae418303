#pragma once

#include <tcrops/store/store.hpp>

#include <error_of.hpp>
#include <scratch_folder.hpp>

namespace tcrops::store {

// A new store for one test.
struct Fixture {
  test::ScratchFolder scratch;
  std::filesystem::path root = scratch / "store";
  Store store = Store::open(root);
};

// A reuse key that differs by `seed` alone.
inline ReuseKey key_of(std::int64_t seed) {
  ReuseKey key;
  key.stage = "fetch";
  key.configuration = {{"source", "made up"}};
  key.seed = seed;
  return key;
}

struct Content {
  std::string bytes = "some bytes\n";
  Json run = {{"host", "one"}};
  std::map<std::string, std::string> parents{};
};

// Publishes an artifact with the file data.bin under key_of(seed). Its id depends on the bytes, the
// seed and the parents.
inline Artifact publish(const Store& store, std::int64_t seed, const Content& content = {}) {
  Draft draft = store.begin_draft();
  draft.add("data.bin", content.bytes);
  Manifest manifest;
  manifest.stage = "fetch";
  manifest.seed = seed;
  manifest.parents = content.parents;
  manifest.configuration = key_of(seed).configuration;
  manifest.facts = {{"rows", 3}};
  return store.publish(std::move(draft), manifest, content.run, key_of(seed));
}

// Changes a file that is read-only, as a disk fault or a careless hand would.
inline void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  write_file(path, bytes);
}

inline void flip_byte(const std::filesystem::path& path, std::size_t at = 0) {
  std::string bytes = read_file(path);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
  overwrite(path, bytes);
}

inline std::filesystem::path key_file(const Store& store, const ReuseKey& key) {
  const std::string digest = key.digest();
  return store.root() / "keys" / digest.substr(0, 2) / (digest + ".json");
}

// "<problem>" of each, joined by lines; empty for a store that is well.
inline std::string problems_of(const Store& store) {
  std::string text;
  for (const auto& problem : store.verify([](std::size_t, std::size_t) {})) {
    text += problem.problem + "\n";
  }
  return text;
}

inline std::size_t entries_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace tcrops::store

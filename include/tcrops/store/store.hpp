#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::store {

// Kinds of artifacts. The text is part of every manifest: never rename.
enum class Kind { kRaw, kDataset, kStudy, kModel, kEvaluation, kCheck, kPredictions };
[[nodiscard]] std::string kind_name(Kind kind);
[[nodiscard]] Kind kind_from_name(const std::string& name);

// What identifies an artifact. The id is the SHA-256 of its canonical JSON, so nothing that differs
// between two equal runs (time, host, threads, versions) may stand in it.
struct Manifest {
  Kind kind = Kind::kRaw;
  std::string stage;
  std::int64_t stage_version = 1;
  Json configuration = Json::object();  // resolved, only what shapes the result
  std::int64_t seed = 0;
  std::string backend_class;                   // "" where no arithmetic is involved
  std::map<std::string, std::string> parents;  // role -> id
  Json facts = Json::object();                 // counts, metrics, licence, citation

  // Filled by `publish`: name -> {"bytes", "sha256"}.
  Json files = Json::object();
};
[[nodiscard]] Json to_json(const Manifest& manifest);
[[nodiscard]] Manifest manifest_from_json(const Json& json, const std::string& name);

// An artifact that is in the store.
struct Artifact {
  std::string id;
  Manifest manifest;
  std::filesystem::path directory;

  [[nodiscard]] std::string short_id() const { return id.substr(0, 12); }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return directory / name;
  }
};

// What a result depends on; equal inputs mean the stored result can be used again.
struct ReuseKey {
  std::string stage;
  std::int64_t stage_version = 1;
  Json configuration = Json::object();
  std::map<std::string, std::string> parents;
  std::int64_t seed = 0;
  std::string backend_class;

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string digest() const;  // SHA-256
};

// Whether the manifest repeats the key: it does in what a stage has made, but for the parents that
// the stage made with it ("model-1" of a study) or found in the store ("warm-start-1").
[[nodiscard]] bool answers(const Manifest& manifest, const ReuseKey& key);
// The opposite of ReuseKey::to_json; kArtifact when it is none. `name` stands for the source.
[[nodiscard]] ReuseKey reuse_key_from_json(const Json& json, const std::string& name);

struct VerifyProblem {
  std::string id;
  std::string problem;
};

class Claim;

// A private folder in the store's file system that becomes an artifact when published. Removed with
// the object otherwise; one left by a killed process is removed by the next command.
class Draft {
 public:
  Draft(Draft&& other) noexcept;
  Draft& operator=(Draft&&) = delete;
  ~Draft();
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  // Adds a file; `name` has no folder in it.
  void add(const std::string& name, std::string_view bytes) const;

 private:
  friend class Store;
  Draft(std::filesystem::path directory, std::shared_ptr<Claim> claim);
  std::filesystem::path directory_;  // empty once published
  std::shared_ptr<Claim> claim_;     // says that the folder is in use
};

// A folder for the half-done work of a stage. Two processes with one key share it and write equal
// files there, so either may drop it. Copies mean the same folder. Thread-safe.
class WorkFolder {
 public:
  [[nodiscard]] std::filesystem::path directory() const;  // made when it is not there
  void write(const std::string& name, std::string_view bytes) const;
  void drop() const;

 private:
  friend class Store;
  WorkFolder(std::filesystem::path directory, std::shared_ptr<const Draft> owner);
  std::filesystem::path directory_;
  std::shared_ptr<const Draft> owner_;  // of a private folder
};

// What the log says of an artifact that is in the store, without opening it.
struct CatalogEntry {
  std::string id;
  std::string kind;  // "" when neither the log nor the manifest says
  std::string stage;
  std::string time;         // of publication, UTC, "2026-01-31T12:00:00Z"; "" when unknown
  std::uint64_t bytes = 0;  // of all its files
  std::map<std::string, std::string> parents;
  std::string key;  // digest of its reuse key; "" when unknown
};

// A folder of immutable artifacts that many processes and machines may use at once. Everything is
// published by rename; nothing needs cleaning up after a crash. data/README.md holds the layout.
// What a store opened for writing has looked up or published is claimed: collect_garbage() of
// another process leaves it alone while the object or a copy of it lives. Thread-safe; all members
// throw Error.
class Store {
 public:
  // Opens the store, or makes it. kFailure when it cannot be written, kArtifact when the folder is
  // something else or of a newer format.
  static Store open(const std::filesystem::path& root);
  // Opens an existing store for reading; kArtifact when there is none.
  static Store open_existing(const std::filesystem::path& root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  [[nodiscard]] Draft begin_draft() const;

  // Hashes and syncs the draft's files, writes manifest and run record, renames the folder into
  // place, then points the key at it. If the same id is there already, that one is kept and
  // returned. `run` is what differs between equal runs.
  Artifact publish(Draft draft, Manifest manifest, const Json& run, const ReuseKey& key) const;
  // Takes an artifact from elsewhere into the store: `draft` holds its files, manifest.json and
  // run.json. kArtifact when they are not what `id` says. `keys` are reuse keys it answers to.
  Artifact adopt(Draft draft, const std::string& id, const std::vector<ReuseKey>& keys) const;
  // The reuse keys that point at an artifact, as far as the log knows them, by digest. A damaged
  // one is left out.
  [[nodiscard]] std::vector<ReuseKey> keys_of(const std::string& id) const;

  // The artifact stored under a key, if it is there and whole on the surface (manifest hash right,
  // all files present with their size). A damaged one counts as absent, with a warning, so that it
  // is made again; or throws kArtifact.
  enum class Damage { kAbsent, kThrow };
  [[nodiscard]] std::optional<Artifact> find(const ReuseKey& key,
                                             Damage damage = Damage::kAbsent) const;

  // By full id, unique beginning of an id (6 or more digits), name ("viral.model"), or version of a
  // registered model ("viral@champion", "viral@v3"). Checks the manifest's hash. kArtifact with
  // what exists when there is no such thing or it is not unique.
  [[nodiscard]] Artifact get(const std::string& reference) const;

  // A text that is another one once a reference to a name or version may mean something else. Costs
  // two looks at the file system, however large the store; never throws.
  [[nodiscard]] std::string stamp(const std::string& reference) const;

  // By full id. kArtifact when it is not there or not whole on the surface.
  [[nodiscard]] Artifact at(const std::string& id) const;

  // Reads a file and checks its hash against the manifest first. kArtifact when it differs.
  [[nodiscard]] std::string read(const Artifact& artifact, const std::string& file) const;

  // Ids of all artifacts, sorted.
  [[nodiscard]] std::vector<std::string> list() const;
  // All artifacts in order of publication, from the log; a hundred thousand take half a second.
  [[nodiscard]] std::vector<CatalogEntry> catalog() const;

  // Points a name at an artifact, replacing the old target at once.
  void set_name(const std::string& name, const std::string& id) const;
  [[nodiscard]] std::map<std::string, std::string> names() const;

  // Re-hashes everything: manifests, files, run records against the log, parents, keys and names.
  // Calls `progress` after each artifact. Empty when all is well.
  [[nodiscard]] std::vector<VerifyProblem> verify(
      const std::function<void(std::size_t done, std::size_t total)>& progress) const;

  // The half-done work of one key; kept until dropped, so that an interrupted command can resume.
  [[nodiscard]] WorkFolder work(const ReuseKey& key) const;
  // A work folder that nobody shares and that goes with the last copy of the object.
  [[nodiscard]] WorkFolder private_work() const;

 private:
  explicit Store(std::filesystem::path root) : root_(std::move(root)) {}
  [[nodiscard]] std::filesystem::path artifact_path(const std::string& id) const;
  [[nodiscard]] Artifact load(const std::string& id) const;
  // The artifact if it is there and whole on the surface; a damaged one is moved out of the way.
  [[nodiscard]] std::optional<Artifact> keep_whole(const std::string& id) const;
  // False when another process was faster.
  [[nodiscard]] bool move_into_place(const Draft& draft, const std::string& id) const;
  [[nodiscard]] Artifact load_published(const std::string& id) const;
  Artifact enter(Draft draft, const std::string& id, Json entry,
                 const std::vector<ReuseKey>& keys) const;
  void claim(const std::string& what) const;

  std::filesystem::path root_;
  std::shared_ptr<Claim> claim_;  // none when opened for reading
};

}  // namespace tcrops::store

#include "claim.hpp"
#include "folder.hpp"
#include "hash_log.hpp"
#include "log_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStoreFormat = "tcrops-store 1\n";
constexpr mode_t kReadOnly = 0444;
constexpr int kPatience = 20;  // looks for what another host has just published
constexpr auto kPause = std::chrono::milliseconds(100);

void check_format(const fs::path& root) {
  const std::string found = read_file(root / "FORMAT", ExitCode::kArtifact);
  if (found != kStoreFormat) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: store format \"{}\" is not \"{}\"; use the version of tcrops that "
                            "made it, or another --store",
                            root.string(), trim(found), trim(kStoreFormat)));
  }
}

constexpr std::array<const char*, 7> kFolders = {"artifacts", "keys",   "names", "models",
                                                 "claims",    "drafts", "work"};

// What stands in the store's folder besides only after FORMAT does.
bool comes_after_format(const std::string& name) {
  return name == "FORMAT" || name == "store.lock" || name == "log.lock" || name == "log.jsonl";
}

// Another host's FORMAT may take a moment to be seen here.
bool has_format(const fs::path& root, bool wait) {
  for (int attempt = 1; !fs::exists(root / "FORMAT"); ++attempt) {
    if (!wait || attempt == kPatience) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

void require_own_or_empty(const fs::path& root) {
  static const std::vector<std::string> kOwn(kFolders.begin(), kFolders.end());
  std::error_code status;
  for (const auto& entry : fs::directory_iterator(root, status)) {
    const std::string name = entry.path().filename().string();
    const bool own = std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
    if (!own && !name.starts_with(".FORMAT")) {
      if (has_format(root, comes_after_format(name))) return;  // made by another process
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: not a tcrops store, and not empty (it holds {}); choose another "
                              "folder with --store",
                              root.string(), name));
    }
  }
  if (status) throw system_error("cannot use as a store", root, status.value());
}

void make_format(const fs::path& root) {
  if (fs::exists(root / "FORMAT")) return;
  try {
    replace_file(root / "FORMAT", kStoreFormat);
  } catch (const Error&) {
    // A collection in the store that another process has just made may have taken our half-written
    // file for one of a killed process.
    if (!fs::exists(root / "FORMAT")) throw;
  }
}

// Syncs and freezes every file of a draft.
void seal_files(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    sync_path(entry.path());
    if (chmod(entry.path().c_str(), kReadOnly) != 0)
      throw system_error("cannot seal", entry.path(), errno);
  }
}

Json hash_files(const fs::path& directory) {
  Json files = Json::object();
  for (const auto& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    files[path.filename().string()] = {{"bytes", fs::file_size(path)},
                                       {"sha256", sha256_file(path)}};
  }
  return files;
}

}  // namespace

Store Store::open(const fs::path& root) {
  make_directories(root);
  if (!fs::exists(root / "FORMAT")) require_own_or_empty(root);
  for (const char* folder : kFolders) make_directories(root / folder);
  make_format(root);
  check_format(root);
  Store store(root);
  store.claim_ = std::make_shared<Claim>(root);
  return store;
}

Store Store::open_existing(const fs::path& root) {
  if (!fs::exists(root / "FORMAT")) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: there is no store here; name it with --store or TCROPS_STORE, or "
                            "make one with `tcrops run --config …`",
                            root.string()));
  }
  check_format(root);
  return Store(root);
}

fs::path Store::artifact_path(const std::string& id) const { return artifact_folder(root_, id); }

Artifact Store::load(const std::string& id) const {
  Artifact artifact;
  artifact.id = id;
  artifact.directory = artifact_path(id);
  const auto path = artifact.directory / "manifest.json";
  const std::string bytes = read_file(path, ExitCode::kArtifact);
  if (sha256_hex(bytes) != id) {
    throw Error(
        ExitCode::kArtifact,
        fmt::format("{}: the manifest was changed after it was published; delete the folder "
                    "{} and run its stage again",
                    path.string(), artifact.directory.string()));
  }
  artifact.manifest = manifest_from_json(parse_json(bytes, path.string()), path.string());
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    std::error_code status;
    const auto size = fs::file_size(artifact.file(name), status);
    if (status || size != file.at("bytes").get<std::uintmax_t>()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: missing or of another size than its manifest says; delete the "
                              "folder {} and run its stage again",
                              artifact.file(name).string(), artifact.directory.string()));
    }
  }
  return artifact;
}

bool Store::move_into_place(const Draft& draft, const std::string& id) const {
  const auto target = artifact_path(id);
  make_directories(target.parent_path());
  if (::rename(draft.directory().c_str(), target.c_str()) != 0) {
    // What another host has put there may not be seen here yet, but the rename knows.
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    throw system_error("cannot publish", target, errno);
  }
  sync_path(target.parent_path());
  return true;
}

// Throws Error (kArtifact) when a file is not what the manifest says.
void check_files(const Artifact& artifact) {
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    if (sha256_file(artifact.file(name)) != file.at("sha256").get<std::string>()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: SHA-256 differs", artifact.file(name).string()));
    }
  }
}

std::optional<Artifact> Store::keep_whole(const std::string& id) const {
  const auto target = artifact_path(id);
  const auto whole = [&] {
    Artifact artifact = load(id);
    check_files(artifact);
    return artifact;
  };
  if (!fs::exists(target)) return std::nullopt;
  try {
    return whole();
  } catch (const Error&) {
    // It is looked at again below.
  }
  // One process at a time, or a slower one would move away what a faster one has just replaced.
  const FileLock lock(store_lock(root_));
  if (!fs::exists(target)) return std::nullopt;
  try {
    return whole();
  } catch (const Error& e) {
    log_warning(fmt::format("replacing a damaged artifact: {}", e.what()));
  }
  const auto aside = claim_->next_draft();
  if (::rename(target.c_str(), aside.c_str()) != 0) {
    throw system_error("cannot replace", target, errno);
  }
  std::error_code ignored;
  fs::remove_all(aside, ignored);
  return std::nullopt;
}

void Store::claim(const std::string& what) const {
  if (claim_) claim_->add(what);
}

Artifact Store::at(const std::string& id) const {
  if (!claim_) return load(id);
  const FileLock lock(store_lock(root_), FileLock::Mode::kShared);
  Artifact artifact = load(id);
  claim(id);
  return artifact;
}

// Another host may have been faster, and its folder may take a moment to be seen here.
Artifact Store::load_published(const std::string& id) const {
  for (int attempt = 1; attempt < kPatience; ++attempt) {
    if (fs::exists(artifact_path(id) / "manifest.json")) break;
    std::this_thread::sleep_for(kPause);
  }
  return load(id);
}

namespace {

// Call with the store's lock held.
void point_key(const fs::path& root, const ReuseKey& key, const std::string& id) {
  const std::string digest = key.digest();
  const auto folder = root / "keys" / digest.substr(0, 2);
  make_directories(folder);
  replace_file(folder / (digest + ".json"),
               canonical_json({{"artifact", id}, {"inputs", key.to_json()}}));
}

Json log_entry(const char* event, const std::string& id, const Manifest& manifest,
               const std::string& run_bytes) {
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : manifest.files.items()) {
    bytes += file.at("bytes").get<std::uint64_t>();
  }
  return {{"event", event},
          {"time", utc_now()},
          {"id", id},
          {"kind", kind_name(manifest.kind)},
          {"stage", manifest.stage},
          {"parents", manifest.parents},
          {"bytes", bytes},
          {"run_sha256", sha256_hex(run_bytes)}};
}

}  // namespace

Artifact Store::publish(Draft draft, Manifest manifest, const Json& run,
                        const ReuseKey& key) const {
  manifest.files = hash_files(draft.directory());
  const std::string bytes = canonical_json(to_json(manifest));
  const std::string run_bytes = canonical_json(run);
  draft.add("manifest.json", bytes);
  draft.add("run.json", run_bytes);
  seal_files(draft.directory());
  sync_path(draft.directory());
  const std::string id = sha256_hex(bytes);
  Json entry = log_entry("publish", id, manifest, run_bytes);
  return enter(std::move(draft), id, std::move(entry), {key});
}

Artifact Store::adopt(Draft draft, const std::string& id, const std::vector<ReuseKey>& keys) const {
  const std::string bytes = read_file(draft.directory() / "manifest.json", ExitCode::kArtifact);
  const std::string run_bytes = read_file(draft.directory() / "run.json", ExitCode::kArtifact);
  if (sha256_hex(bytes) != id) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: the manifest has another SHA-256", id));
  }
  Artifact artifact{id, manifest_from_json(parse_json(bytes, id), id), draft.directory()};
  check_files(artifact);
  seal_files(draft.directory());
  sync_path(draft.directory());
  Json entry = log_entry("import", id, artifact.manifest, run_bytes);
  return enter(std::move(draft), id, std::move(entry), keys);
}

// Moves a sealed draft into its place, unless the artifact is there already.
Artifact Store::enter(Draft draft, const std::string& id, Json entry,
                      const std::vector<ReuseKey>& keys) const {
  auto existing = keep_whole(id);
  const FileLock lock(store_lock(root_), FileLock::Mode::kShared);
  if (existing && !fs::exists(existing->directory)) existing.reset();  // removed since
  claim(id);
  const bool was_there = existing.has_value();
  if (!existing) {
    // The log line comes first: an artifact without one would be suspect, a line without its
    // artifact is only a publication that was cut off.
    if (!keys.empty()) entry["key"] = keys.front().digest();
    static_cast<void>(store_log(root_).append(std::move(entry)));
    if (move_into_place(draft, id)) draft.directory_.clear();
    existing = load_published(id);
  }
  for (const ReuseKey& key : keys) {
    const std::string digest = key.digest();
    const bool is_logged = !was_there && digest == keys.front().digest();
    if (!is_logged && key_target(root_, digest) != id) {
      static_cast<void>(store_log(root_).append(
          {{"event", "key"}, {"time", utc_now()}, {"id", id}, {"key", digest}}));
    }
    point_key(root_, key, id);
  }
  return *std::move(existing);
}

std::optional<Artifact> Store::find(const ReuseKey& key, Damage damage) const {
  const std::string digest = key.digest();
  const auto path = root_ / "keys" / digest.substr(0, 2) / (digest + ".json");
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Json pointer = parse_json(read_file(path, ExitCode::kArtifact), path.string());
    return at(pointer.at("artifact").get<std::string>());
  } catch (const Error& e) {
    // A full disk or a lock that cannot be had is no damage.
    if (damage == Damage::kThrow || e.code() != ExitCode::kArtifact) throw;
    log_warning(fmt::format("not used again: {}", e.what()));
  } catch (const Json::exception&) {
    const std::string problem = fmt::format("{} is damaged", path.string());
    if (damage == Damage::kThrow) {
      throw Error(ExitCode::kArtifact, problem + "; delete it and run the stage again");
    }
    log_warning("not used again: " + problem);
  }
  return std::nullopt;
}

std::string Store::read(const Artifact& artifact, const std::string& file) const {
  const auto path = artifact.file(file);
  if (!artifact.manifest.files.contains(file)) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: the artifact has no such file", path.string()));
  }
  std::string bytes = read_file(path, ExitCode::kArtifact);
  if (sha256_hex(bytes) != artifact.manifest.files[file].at("sha256").get<std::string>()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: the bytes are not those that were published (SHA-256 differs); "
                            "delete the folder {} and run its stage again",
                            path.string(), artifact.directory.string()));
  }
  return bytes;
}

void Store::set_name(const std::string& name, const std::string& id) const {
  const FileLock lock(store_lock(root_), FileLock::Mode::kShared);
  replace_file(root_ / "names" / name, id + "\n");
}

}  // namespace tcrops::store

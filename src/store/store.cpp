#include "store_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStoreFormat = "tcrops-store 1\n";
constexpr mode_t kReadOnly = 0444;
constexpr int kWorkAttempts = 9;

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void check_format(const fs::path& root) {
  const std::string found = read_file(root / "FORMAT", ExitCode::kArtifact);
  if (found != kStoreFormat) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: store format \"{}\" is not \"{}\"; use the version of tcrops that "
                            "made it, or another --store",
                            root.string(), trim(found), trim(kStoreFormat)));
  }
}

void require_own_or_empty(const fs::path& root) {
  static const std::vector<std::string> kOwn = {"artifacts", "keys", "names", "drafts", "work"};
  std::error_code status;
  for (const auto& entry : fs::directory_iterator(root, status)) {
    const std::string name = entry.path().filename().string();
    const bool own = std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
    if (!own && !name.starts_with(".FORMAT")) {
      if (fs::exists(root / "FORMAT")) return;  // another process has just made the store
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: not a tcrops store, and not empty (it holds {}); choose another "
                              "folder with --store",
                              root.string(), name));
    }
  }
  if (status) throw system_error("cannot use as a store", root, status.value());
}

// What stands in one of the store's own folders; a store without it is damaged.
fs::directory_iterator entries_of(const fs::path& folder) {
  std::error_code status;
  fs::directory_iterator entries(folder, status);
  if (status)
    throw system_error("the store is damaged: cannot list", folder, status.value(),
                       ExitCode::kArtifact);
  return entries;
}

// Hashes, syncs and freezes every file of a draft.
Json seal_files(const fs::path& directory) {
  Json files = Json::object();
  for (const auto& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    files[path.filename().string()] = {{"bytes", fs::file_size(path)},
                                       {"sha256", sha256_file(path)}};
    sync_path(path);
    if (chmod(path.c_str(), kReadOnly) != 0) throw system_error("cannot seal", path, errno);
  }
  return files;
}

void add_sealed(const fs::path& path, const std::string& bytes) {
  write_file(path, bytes);
  if (chmod(path.c_str(), kReadOnly) != 0) throw system_error("cannot seal", path, errno);
}

}  // namespace

Store Store::open(const fs::path& root) {
  make_directories(root);
  if (!fs::exists(root / "FORMAT")) require_own_or_empty(root);
  for (const char* folder : {"artifacts", "keys", "names", "drafts", "work"}) {
    make_directories(root / folder);
  }
  if (!fs::exists(root / "FORMAT")) replace_file(root / "FORMAT", kStoreFormat);
  check_format(root);
  return Store(root);
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

fs::path Store::artifact_path(const std::string& id) const {
  return root_ / "artifacts" / id.substr(0, 2) / id;
}

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

void Store::move_into_place(const Draft& draft, const std::string& id) const {
  const auto target = artifact_path(id);
  make_directories(target.parent_path());
  if (::rename(draft.directory().c_str(), target.c_str()) != 0) {
    throw system_error("cannot publish", target, errno);
  }
  sync_path(target.parent_path());
}

std::optional<Artifact> Store::keep_whole(const std::string& id) const {
  const auto target = artifact_path(id);
  if (!fs::exists(target)) return std::nullopt;
  // One process at a time, or a slower one would move away what a faster one has just replaced.
  const FileLock lock(root_ / "drafts.lock");
  if (!fs::exists(target)) return std::nullopt;
  try {
    Artifact artifact = load(id);
    for (const auto& [name, file] : artifact.manifest.files.items()) {
      if (sha256_file(artifact.file(name)) != file.at("sha256").get<std::string>()) {
        throw Error(ExitCode::kArtifact,
                    fmt::format("{}: SHA-256 differs", artifact.file(name).string()));
      }
    }
    return artifact;
  } catch (const Error& e) {
    log_warning(fmt::format("replacing a damaged artifact: {}", e.what()));
  }
  const auto aside = root_ / "drafts" / ("tmp-damaged-" + random_name());
  if (::rename(target.c_str(), aside.c_str()) != 0) {
    throw system_error("cannot replace", target, errno);
  }
  return std::nullopt;
}

void Store::point_key(const ReuseKey& key, const std::string& id) const {
  const std::string digest = key.digest();
  const auto folder = root_ / "keys" / digest.substr(0, 2);
  make_directories(folder);
  replace_file(folder / (digest + ".json"),
               canonical_json({{"artifact", id}, {"inputs", key.to_json()}}));
}

Artifact Store::publish(Draft draft, Manifest manifest, const Json& run,
                        const ReuseKey& key) const {
  manifest.files = seal_files(draft.directory());
  const std::string bytes = canonical_json(to_json(manifest));
  const std::string id = sha256_hex(bytes);
  const std::string run_bytes = canonical_json(run);
  add_sealed(draft.directory() / "manifest.json", bytes);
  add_sealed(draft.directory() / "run.json", run_bytes);
  sync_path(draft.directory());

  if (auto existing = keep_whole(id)) {
    point_key(key, id);
    return *std::move(existing);
  }
  // The log line comes first: an artifact without one would be suspect, a line without its artifact
  // is only a publication that was cut off.
  append_log(root_, {{"event", "publish"},
                     {"id", id},
                     {"kind", kind_name(manifest.kind)},
                     {"run_sha256", sha256_hex(run_bytes)}});
  try {
    move_into_place(draft, id);
    draft.directory_.clear();
  } catch (const Error&) {
    if (!fs::exists(artifact_path(id) / "manifest.json")) throw;  // else another process was faster
  }
  Artifact artifact = load(id);
  point_key(key, id);
  return artifact;
}

std::optional<Artifact> Store::find(const ReuseKey& key, Damage damage) const {
  const std::string digest = key.digest();
  const auto path = root_ / "keys" / digest.substr(0, 2) / (digest + ".json");
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Json pointer = parse_json(read_file(path, ExitCode::kArtifact), path.string());
    return load(pointer.at("artifact").get<std::string>());
  } catch (const Error& e) {
    if (damage == Damage::kThrow) throw;
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

std::vector<std::string> Store::list() const {
  std::vector<std::string> ids;
  for (const auto& group : entries_of(root_ / "artifacts")) {
    if (!group.is_directory()) continue;
    for (const auto& entry : entries_of(group.path())) {
      ids.push_back(entry.path().filename().string());
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Artifact Store::get(const std::string& reference) const {
  const auto named = names();
  if (const auto at = named.find(reference); at != named.end()) return load(at->second);
  std::vector<std::string> matches;
  if (is_hex(reference) && reference.size() >= 6) {
    for (const std::string& id : list()) {
      if (id.starts_with(reference)) matches.push_back(id);
    }
  }
  if (matches.size() == 1) return load(matches.front());
  if (!matches.empty()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("\"{}\" begins {} ids; give more digits", reference, matches.size()));
  }
  std::vector<std::string> known;
  for (const auto& [name, id] : named) known.push_back(name);
  throw Error(ExitCode::kArtifact,
              fmt::format("{}: no artifact \"{}\"{}; `tcrops artifacts ls` lists what there is",
                          root_.string(), reference, suggestion(reference, known)));
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
  replace_file(root_ / "names" / name, id + "\n");
}

std::map<std::string, std::string> Store::names() const {
  std::map<std::string, std::string> result;
  for (const auto& entry : entries_of(root_ / "names")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    result[name] = std::string(trim(read_file(entry.path(), ExitCode::kArtifact)));
  }
  return result;
}

fs::path Store::work_directory(const ReuseKey& key) const {
  auto path = root_ / "work" / key.digest();
  make_directories(path);
  return path;
}

void Store::write_work(const ReuseKey& key, const std::string& name, std::string_view bytes) const {
  for (int attempt = 0;; ++attempt) {
    const auto path = work_directory(key) / name;
    try {
      replace_file(path, bytes);
      return;
    } catch (const Error& e) {
      // A twin process that has just published may be dropping the folder under us. It need not be
      // gone yet: its files go first.
      if (e.code() == ExitCode::kTemporary || attempt == kWorkAttempts) throw;
    }
  }
}

void Store::drop_work(const ReuseKey& key) const {
  std::error_code ignored;
  fs::remove_all(root_ / "work" / key.digest(), ignored);
}

}  // namespace tcrops::store

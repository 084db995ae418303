#include "archive_format.hpp"
#include "folder.hpp"
#include "log_index.hpp"
#include "tar_reader.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestRecord = std::uint64_t{64} << 20U;
constexpr std::size_t kBlockBytes = 1U << 20U;
constexpr std::size_t kShownDigits = 12;

bool holds(const Store& store, const std::string& id) {
  if (!fs::exists(artifact_folder(store.root(), id))) return false;
  try {
    return store.at(id).id == id;
  } catch (const Error&) {
    return false;  // damaged
  }
}

}  // namespace

struct ArchiveReader::State {
  explicit State(const fs::path& file) : tar(file) {}

  TarReader tar;
  ArchiveIndex index;
  std::string manifest_bytes;  // of the artifact being read
  std::string block = std::string(kBlockBytes, '\0');

  [[noreturn]] void refuse(const std::string& entry, const std::string& problem) const {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: {}: {}; get the archive anew", tar.name(), entry, problem));
  }

  // The next entry must be this one. Returns its size.
  [[nodiscard]] std::uint64_t expect(const std::string& entry) {
    const std::optional<TarEntry> next = tar.next();
    if (!next) refuse(entry, "missing: the archive ends before it");
    if (!next->problem.empty()) refuse(next->shown_path(), next->problem);
    if (next->path != entry) {
      refuse(next->shown_path(), fmt::format("not what the index names here, which is {}", entry));
    }
    return next->bytes;
  }

  [[nodiscard]] std::string read_record(const std::string& entry, const std::string& sha256) {
    const std::uint64_t size = expect(entry);
    if (size > kLargestRecord) refuse(entry, fmt::format("{} bytes are too many", size));
    std::string bytes = read_whole(size);
    if (bytes.size() != size) refuse(entry, "it is cut off");
    if (sha256_hex(bytes) != sha256) refuse(entry, "SHA-256 differs");
    return bytes;
  }

  [[nodiscard]] std::string read_whole(std::uint64_t size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
      const std::size_t count = tar.read({bytes.data() + filled, bytes.size() - filled});
      if (count == 0) break;
      filled += count;
    }
    bytes.resize(filled);
    return bytes;
  }

  [[nodiscard]] Manifest read_manifest(const std::string& id) {
    const std::string entry = artifact_entry(id, "manifest.json");
    manifest_bytes = read_record(entry, id);
    const std::string shown = fmt::format("{}: {}", tar.name(), entry);
    Manifest manifest = manifest_from_json(parse_json(manifest_bytes, shown), shown);
    check_names(manifest, shown);
    return manifest;
  }

  void require_parents(const Store& store, const std::string& id, const Manifest& manifest) const {
    for (const auto& [role, parent] : manifest.parents) {
      if (holds(store, parent)) continue;
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: {}: its {} {} is neither in the archive before it nor in the "
                              "store; export it with its ancestors, or do without them with "
                              "--allow-missing-ancestors",
                              tar.name(), id.substr(0, kShownDigits), Json(role).dump(),
                              parent.substr(0, kShownDigits)));
    }
  }

  [[nodiscard]] std::vector<ReuseKey> read_keys(const Store& store, const std::string& id,
                                                const Manifest& manifest) {
    const std::string entry = keys_entry(id);
    const std::string bytes = read_record(entry, index.records.at(id).keys);
    auto keys = keys_from_bytes(bytes, fmt::format("{}: {}", tar.name(), entry), manifest);
    // What this store has found for equal inputs stays its answer.
    std::erase_if(keys, [&](const ReuseKey& key) {
      const std::string answer = key_target(store.root(), key.digest());
      return answer != id && is_id(answer) && holds(store, answer);
    });
    return keys;
  }

  void copy_file(const std::string& id, const std::string& name, const Json& file,
                 const Draft& draft, const ArchiveProgress& progress) {
    const std::string entry = artifact_entry(id, name);
    const auto bytes = file.at("bytes").get<std::uint64_t>();
    if (const std::uint64_t size = expect(entry); size != bytes) {
      refuse(entry, fmt::format("it has {} bytes, and {} in its manifest", size, bytes));
    }
    AtomicFile copy(draft.directory() / name);
    Sha256 hash;
    std::uint64_t done = 0;
    while (const std::size_t count = tar.read({block.data(), block.size()})) {
      check_interrupt();
      done += count;
      if (done > bytes) break;
      const std::string_view part(block.data(), count);
      hash.update(part);
      copy.write(part);
      progress(tar.bytes_read(), tar.total_bytes());
    }
    if (done != bytes) refuse(entry, "it is cut off");
    if (hash.hex() != file.at("sha256").get<std::string>()) refuse(entry, "SHA-256 differs");
    copy.commit();
  }
};

ArchiveReader::ArchiveReader(const fs::path& file) : state_(std::make_unique<State>(file)) {
  TarReader& tar = state_->tar;
  const std::optional<TarEntry> first = tar.next();
  if (!first || first->path != kIndexEntry || !first->problem.empty() ||
      first->bytes > kLargestRecord) {
    throw Error(ExitCode::kInputData,
                fmt::format("{}: not an archive of tcrops: its first entry is not {}", tar.name(),
                            kIndexEntry));
  }
  std::string bytes;
  try {
    bytes = state_->read_whole(first->bytes);
  } catch (const Error& e) {
    // Without an index it is no archive yet.
    if (e.code() != ExitCode::kArtifact) throw;
    throw Error(ExitCode::kInputData, e.what());
  }
  state_->index = index_from_bytes(bytes, fmt::format("{}: {}", tar.name(), kIndexEntry));
}

ArchiveReader::~ArchiveReader() = default;

const std::vector<ArchiveRoot>& ArchiveReader::roots() const { return state_->index.roots; }

ImportResult ArchiveReader::import_into(const Store& store, const ImportOptions& options) {
  State& state = *state_;
  ImportResult result;
  for (const std::string& id : state.index.artifacts) {
    const Manifest manifest = state.read_manifest(id);
    if (!options.allow_missing_ancestors) state.require_parents(store, id, manifest);
    Draft draft = store.begin_draft();
    draft.add("manifest.json", state.manifest_bytes);
    draft.add("run.json",
              state.read_record(artifact_entry(id, "run.json"), state.index.records.at(id).run));
    const std::vector<ReuseKey> keys = state.read_keys(store, id, manifest);
    for (const auto& [name, file] : manifest.files.items()) {
      state.copy_file(id, name, file, draft, options.progress);
    }
    check_interrupt();
    const bool was_present = holds(store, id);
    static_cast<void>(store.adopt(std::move(draft), id, keys));
    (was_present ? result.present : result.added).push_back({id, kind_name(manifest.kind)});
  }
  if (const std::optional<TarEntry> more = state.tar.next()) {
    state.refuse(more->shown_path(), "the index does not name it");
  }
  return result;
}

}  // namespace tcrops::store

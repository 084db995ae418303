#pragma once

#include <tcrops/store/store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::store {

// Artifacts in one file, to carry them from one store to another. data/README.md holds the format.

// An artifact that was asked for, by the name it was asked for with.
struct ArchiveRoot {
  std::string reference;
  std::string id;
};

struct ArchivedArtifact {
  std::string id;
  std::string kind;
};

enum class Packing { kNone, kGzip, kZstd };

// Called with the bytes done and, where it is known, the bytes to do (else 0).
using ArchiveProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct ExportOptions {
  std::vector<std::string> references;  // as Store::get takes them
  bool ancestors = true;                // all that they were made from as well
  Packing packing = Packing::kNone;
  ArchiveProgress progress = [](std::uint64_t, std::uint64_t) {};
};

struct ExportResult {
  std::string sha256;       // of the archive
  std::uint64_t bytes = 0;  // of the archive
  std::vector<ArchivedArtifact> artifacts;
};

// Writes an archive through `output`, which may throw. Equal artifacts give equal bytes. Everything
// is hashed as it is read: kArtifact when it is not what was published; the output is then no
// archive. Memory does not grow with the files.
ExportResult write_archive(const Store& store, const ExportOptions& options,
                           const std::function<void(std::string_view)>& output);

struct ImportOptions {
  // Takes artifacts whose parents are neither in the archive nor in the store; Store::verify will
  // tell of them.
  bool allow_missing_ancestors = false;
  ArchiveProgress progress = [](std::uint64_t, std::uint64_t) {};
};

struct ImportResult {
  std::vector<ArchivedArtifact> added;
  std::vector<ArchivedArtifact> present;  // were in the store already
};

// An archive from anywhere, trusted with nothing: only the entries that its index and the manifests
// name are taken, in their order, and only with the size and SHA-256 that these say.
class ArchiveReader {
 public:
  // Opens the file, or stdin when it is "-", and reads the index. kInputData when it is no archive
  // of ours.
  explicit ArchiveReader(const std::filesystem::path& file);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  [[nodiscard]] const std::vector<ArchiveRoot>& roots() const;
  // Adopts one artifact after the other, parents first, so that what an error or a kill leaves is
  // whole. Call once. kArtifact names the entry that is not what it should be.
  ImportResult import_into(const Store& store, const ImportOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::store

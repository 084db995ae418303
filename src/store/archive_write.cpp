#include "archive_format.hpp"
#include "folder.hpp"
#include "log_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <exception>
#include <fstream>
#include <memory>
#include <new>
#include <set>
#include <tuple>
#include <utility>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 1U << 20U;
constexpr mode_t kMode = 0644;

// A tar stream in which nothing tells when, where or by whom it was written.
class TarWriter {
 public:
  TarWriter(Packing packing, std::function<void(std::string_view)> output)
      : archive_(archive_write_new()), output_(std::move(output)) {
    if (!archive_) throw std::bad_alloc();
    archive* const a = archive_.get();
    // The one tar format with sizes above 8 GiB that has no headers with times.
    check(archive_write_set_format_gnutar(a));
    if (packing == Packing::kGzip) {
      check(archive_write_add_filter_gzip(a));
      check(archive_write_set_filter_option(a, "gzip", "timestamp", nullptr));
    } else if (packing == Packing::kZstd) {
      check(archive_write_add_filter_zstd(a));
    }
    check(archive_write_set_bytes_in_last_block(a, 1));
    check(archive_write_open(a, this, nullptr, pass_on, nullptr));
  }
  ~TarWriter() {
    // Freeing it closes it, which wants to fill up the entry: nothing may follow an error.
    is_abandoned_ = !is_closed_;
    archive_.reset();
  }
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void begin(const std::string& path, std::uint64_t bytes) {
    const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
    if (!entry) throw std::bad_alloc();
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kMode);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    check(archive_write_header(archive_.get(), entry.get()));
  }
  void write(std::string_view bytes) {
    const la_ssize_t written = archive_write_data(archive_.get(), bytes.data(), bytes.size());
    if (written != static_cast<la_ssize_t>(bytes.size()) || problem_) fail();
  }
  void add(const std::string& path, std::string_view bytes) {
    begin(path, bytes.size());
    write(bytes);
  }
  void close() {
    check(archive_write_close(archive_.get()));
    is_closed_ = true;
  }

 private:
  struct ArchiveFree {
    void operator()(archive* a) const { archive_write_free(a); }
  };
  struct EntryFree {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
  };

  // No exception may pass through libarchive, which would leak if it were told: check() throws it.
  static la_ssize_t pass_on(archive* /*a*/, void* self, const void* bytes, std::size_t size) {
    auto* const writer = static_cast<TarWriter*>(self);
    if (writer->is_abandoned_) return -1;
    try {
      if (!writer->problem_) writer->output_({static_cast<const char*>(bytes), size});
    } catch (...) {
      writer->problem_ = std::current_exception();
    }
    return static_cast<la_ssize_t>(size);
  }
  void check(int status) {
    if (status != ARCHIVE_OK || problem_) fail();
  }
  [[noreturn]] void fail() {
    if (problem_) std::rethrow_exception(problem_);
    const char* const text = archive_error_string(archive_.get());
    throw Error(ExitCode::kFailure, fmt::format("cannot write the archive: {}",
                                                text == nullptr ? "unknown error" : text));
  }

  std::unique_ptr<archive, ArchiveFree> archive_;
  std::function<void(std::string_view)> output_;
  std::exception_ptr problem_;
  bool is_closed_ = false;
  bool is_abandoned_ = false;
};

// The artifacts to write, parents first.
class Selection {
 public:
  Selection(const Store& store, const std::vector<ArchiveRoot>& roots, bool ancestors)
      : store_(store), ancestors_(ancestors) {
    for (const ArchiveRoot& root : roots) chosen_.insert(root.id);
    for (const std::string& id : chosen_) add(store.get(id));
  }

  [[nodiscard]] const std::vector<ArchivedArtifact>& artifacts() const { return artifacts_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void add(const Artifact& artifact) {
    if (!met_.insert(artifact.id).second) return;
    check_names(artifact.manifest, artifact.id);
    for (const auto& [role, parent] : artifact.manifest.parents) {
      const bool wanted = ancestors_ || chosen_.contains(parent);
      if (wanted && !met_.contains(parent)) add(parent_of(artifact, role, parent));
    }
    for (const auto& [name, file] : artifact.manifest.files.items()) {
      bytes_ += file.at("bytes").get<std::uint64_t>();
    }
    artifacts_.push_back({artifact.id, kind_name(artifact.manifest.kind)});
  }
  [[nodiscard]] Artifact parent_of(const Artifact& artifact, const std::string& role,
                                   const std::string& parent) const {
    try {
      return store_.at(parent);
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("{} cannot be exported with its ancestors: its {}: {}",
                                        artifact.short_id(), role, e.what()));
    }
  }

  const Store& store_;
  bool ancestors_;
  std::set<std::string> chosen_;
  std::set<std::string> met_;
  std::vector<ArchivedArtifact> artifacts_;
  std::uint64_t bytes_ = 0;
};

[[noreturn]] void refuse(const Artifact& artifact, const std::string& file,
                         const std::string& problem) {
  throw Error(ExitCode::kArtifact,
              fmt::format("{}: {}, so nothing was exported; delete the folder {} and run its stage "
                          "again",
                          artifact.file(file).string(), problem, artifact.directory.string()));
}

class Exporter {
 public:
  Exporter(const Store& store, const ExportOptions& options)
      : store_(store), options_(options), log_(store.root()) {}

  [[nodiscard]] ArchiveIndex index(const Selection& selection,
                                   std::vector<ArchiveRoot> roots) const {
    ArchiveIndex index{std::move(roots), {}, {}};
    for (const ArchivedArtifact& chosen : selection.artifacts()) {
      const Artifact artifact = store_.at(chosen.id);
      const std::string run = sha256_hex(read_run(artifact));
      if (!log_.has_run(artifact.id, run)) {
        refuse(artifact, "run.json", "the log of the store knows no such run record");
      }
      index.artifacts.push_back(artifact.id);
      index.records[artifact.id] = {run, sha256_hex(keys_to_bytes(log_.keys_of(artifact.id)))};
    }
    return index;
  }

  void write(TarWriter& tar, const ArchiveIndex& index, std::uint64_t total) {
    total_ = total;
    tar.add(kIndexEntry, index_to_bytes(index));
    for (const std::string& id : index.artifacts) {
      const Artifact artifact = store_.at(id);
      add_record(tar, artifact_entry(id, "manifest.json"),
                 read_file(artifact.file("manifest.json"), ExitCode::kArtifact), id);
      add_record(tar, artifact_entry(id, "run.json"), read_run(artifact), index.records.at(id).run);
      add_record(tar, keys_entry(id), keys_to_bytes(log_.keys_of(id)), index.records.at(id).keys);
      for (const auto& [name, file] : artifact.manifest.files.items()) {
        add_file(tar, artifact, name, file);
      }
    }
  }

 private:
  static std::string read_run(const Artifact& artifact) {
    return read_file(artifact.file("run.json"), ExitCode::kArtifact);
  }

  static void add_record(TarWriter& tar, const std::string& entry, const std::string& bytes,
                         const std::string& sha256) {
    if (sha256_hex(bytes) != sha256) {
      throw Error(ExitCode::kTemporary,
                  fmt::format("{} was changed while it was exported; try again", entry));
    }
    tar.add(entry, bytes);
  }

  void add_file(TarWriter& tar, const Artifact& artifact, const std::string& name,
                const Json& file) {
    std::ifstream in(artifact.file(name), std::ios::binary);
    if (!in) {
      throw system_error("cannot read", artifact.file(name), errno, ExitCode::kArtifact);
    }
    const auto bytes = file.at("bytes").get<std::uint64_t>();
    tar.begin(artifact_entry(artifact.id, name), bytes);
    Sha256 hash;
    std::uint64_t read = 0;
    while (in) {
      check_interrupt();
      in.read(block_.data(), static_cast<std::streamsize>(block_.size()));
      const std::string_view part(block_.data(), static_cast<std::size_t>(in.gcount()));
      read += part.size();
      if (read > bytes) break;
      hash.update(part);
      tar.write(part);
      options_.progress(done_ += part.size(), total_);
    }
    if (in.bad()) throw system_error("cannot read", artifact.file(name), EIO, ExitCode::kArtifact);
    if (read != bytes) refuse(artifact, name, "its size is not that in its manifest");
    if (hash.hex() != file.at("sha256").get<std::string>()) {
      refuse(artifact, name, "SHA-256 differs from its manifest");
    }
  }

  const Store& store_;
  const ExportOptions& options_;
  LogIndex log_;
  std::string block_ = std::string(kBlockBytes, '\0');
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

ExportResult write_archive(const Store& store, const ExportOptions& options,
                           const std::function<void(std::string_view)>& output) {
  std::vector<ArchiveRoot> roots;
  for (const std::string& reference : options.references) {
    roots.push_back({reference, store.get(reference).id});
  }
  // The order in which they were named must not show.
  const auto parts = [](const ArchiveRoot& root) { return std::tie(root.id, root.reference); };
  std::sort(roots.begin(), roots.end(),
            [&](const auto& a, const auto& b) { return parts(a) < parts(b); });
  const auto repeated = std::unique(roots.begin(), roots.end(), [&](const auto& a, const auto& b) {
    return parts(a) == parts(b);
  });
  roots.erase(repeated, roots.end());
  const Selection selection(store, roots, options.ancestors);

  ExportResult result;
  Sha256 hash;
  TarWriter tar(options.packing, [&](std::string_view bytes) {
    hash.update(bytes);
    result.bytes += bytes.size();
    output(bytes);
  });
  Exporter exporter(store, options);
  exporter.write(tar, exporter.index(selection, std::move(roots)), selection.bytes());
  tar.close();
  result.sha256 = hash.hex();
  result.artifacts = selection.artifacts();
  return result;
}

}  // namespace tcrops::store

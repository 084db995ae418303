#include "tar_reader.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/json.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <new>
#include <vector>

namespace tcrops::store {
namespace {

constexpr std::size_t kBlockBytes = 1U << 16U;
constexpr std::uint64_t kRecordBytes = 512;  // tar counts in these
constexpr std::uint64_t kEndBytes = 2 * kRecordBytes;

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};

// "" when the path is relative and leads nowhere else.
std::string path_problem(const std::string& path) {
  if (path.empty()) return "an entry without a readable path";
  if (path.front() == '/') return "an absolute path";
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return "a path that leaves its folder";
    begin = end + 1;
  }
  return "";
}

std::string entry_problem(archive_entry* entry, const std::string& path) {
  if (archive_entry_hardlink(entry) != nullptr) return "a hard link";
  if (archive_entry_symlink(entry) != nullptr) return "a symbolic link";
  if (archive_entry_filetype(entry) == AE_IFDIR) return "a folder";
  if (archive_entry_filetype(entry) != AE_IFREG) return "not a plain file";
  if (archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) < 0) return "no size";
  if (archive_entry_sparse_count(entry) > 0) return "a file with holes";
  return path_problem(path);
}

}  // namespace

std::string TarEntry::shown_path() const { return Json(valid_utf8(path)).dump(); }

struct TarReader::State {
  std::string name;
  int descriptor = -1;
  bool owned = false;
  std::uint64_t total = 0;
  bool begun = false;  // the first entry was read
  int read_error = 0;  // errno of the file
  std::vector<char> block = std::vector<char>(kBlockBytes);
  std::unique_ptr<archive, ArchiveFree> tar{archive_read_new()};

  State() = default;
  ~State() {
    tar.reset();
    if (owned && descriptor >= 0) ::close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // A signal ends the wait for a pipe: libarchive then gives up, and fail() tells why.
  static la_ssize_t read_block(archive* a, void* self, const void** bytes) {
    auto* const state = static_cast<State*>(self);
    *bytes = state->block.data();
    ssize_t count = 0;
    do {
      count = ::read(state->descriptor, state->block.data(), state->block.size());
    } while (count < 0 && errno == EINTR && !interrupted());
    if (count < 0) {
      state->read_error = errno;
      archive_set_error(a, errno, "cannot read");
    }
    return count;
  }

  [[noreturn]] void fail() const {
    check_interrupt();
    if (read_error != 0) throw system_error("cannot read", name, read_error, ExitCode::kInputData);
    const char* const text = archive_error_string(tar.get());
    const std::string reason = text == nullptr ? "unknown error" : valid_utf8(text);
    if (!begun) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: not an archive of tcrops ({})", name, reason));
    }
    throw Error(
        ExitCode::kArtifact,
        fmt::format("{}: the archive is damaged or cut off ({}); get it anew", name, reason));
  }
  void check(int status) const {
    if (status != ARCHIVE_OK) fail();
  }

  [[nodiscard]] std::uint64_t unpacked_bytes() const {
    return static_cast<std::uint64_t>(archive_filter_bytes(tar.get(), 0));
  }

  // After the last entry: its end mark has to be there.
  void check_end(std::uint64_t before) const {
    const std::uint64_t entries_end = (before + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
    if (unpacked_bytes() >= entries_end + kEndBytes) return;
    throw Error(
        ExitCode::kArtifact,
        fmt::format("{}: the archive is cut off: its end mark is missing; get it anew", name));
  }
};

TarReader::TarReader(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  State& state = *state_;
  if (!state.tar) throw std::bad_alloc();
  if (file == "-") {
    state.name = "stdin";
    state.descriptor = STDIN_FILENO;
  } else {
    state.name = file.string();
    state.descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (state.descriptor < 0) {
      throw system_error("cannot read", file, errno, ExitCode::kInputData);
    }
    state.owned = true;
  }
  struct stat status {};
  if (fstat(state.descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    state.total = static_cast<std::uint64_t>(status.st_size);
  }
  archive* const tar = state.tar.get();
  state.check(archive_read_support_format_tar(tar));
  state.check(archive_read_support_filter_gzip(tar));
  state.check(archive_read_support_filter_zstd(tar));
  state.check(archive_read_open(tar, &state, nullptr, State::read_block, nullptr));
}

TarReader::~TarReader() = default;

const std::string& TarReader::name() const { return state_->name; }

std::optional<TarEntry> TarReader::next() {
  State& state = *state_;
  check_interrupt();
  const std::uint64_t before = state.unpacked_bytes();
  archive_entry* found = nullptr;
  const int status = archive_read_next_header(state.tar.get(), &found);
  if (status == ARCHIVE_EOF) {
    if (state.begun) state.check_end(before);
    return std::nullopt;
  }
  state.check(status);
  state.begun = true;
  TarEntry entry;
  const char* const path = archive_entry_pathname(found);
  entry.path = path == nullptr ? "" : path;
  entry.problem = entry_problem(found, entry.path);
  entry.bytes = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(found), 0));
  return entry;
}

std::size_t TarReader::read(std::span<char> bytes) {
  const la_ssize_t count = archive_read_data(state_->tar.get(), bytes.data(), bytes.size());
  if (count < 0) state_->fail();
  return static_cast<std::size_t>(count);
}

std::uint64_t TarReader::bytes_read() const {
  return static_cast<std::uint64_t>(archive_filter_bytes(state_->tar.get(), -1));
}

std::uint64_t TarReader::total_bytes() const { return state_->total; }

}  // namespace tcrops::store

#pragma once

#include <tcrops/core/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace tcrops {

// Whole file as bytes. Throws Error(`otherwise`) naming the path when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    ExitCode otherwise = ExitCode::kInputData);

// Creates or truncates the file, writes, fsyncs. Throws Error; a full disk is kTemporary.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// A file that appears whole or not at all: bytes go to a temporary name in the same folder and
// `commit` fsyncs, renames and fsyncs the folder. Without `commit` the destructor removes it.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::string buffer_;
  void flush();
};

// AtomicFile in one call.
void replace_file(const std::filesystem::path& path, std::string_view bytes);

// Creates the folder and its parents; throws Error.
void make_directories(const std::filesystem::path& path);

// A new folder with a random name that begins with `prefix`, inside `parent`.
[[nodiscard]] std::filesystem::path make_unique_directory(const std::filesystem::path& parent,
                                                          std::string_view prefix);

// Makes what was written to a file or folder survive a power cut.
void sync_path(const std::filesystem::path& path);

// Advisory lock on a file for the life of the object (flock; works over NFS v4). Held only for
// short critical sections; a process that takes the same file twice waits for itself for ever,
// unless both are shared.
class FileLock {
 public:
  enum class Mode { kExclusive, kShared };
  explicit FileLock(const std::filesystem::path& path, Mode mode = Mode::kExclusive);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

// 16 random hexadecimal digits from the system, for names only.
[[nodiscard]] std::string random_name();

// 28 hexadecimal digits: the time in milliseconds since 1970 (12 digits), then random bits. Names
// sort by when they were made, so that an index of them grows at its end. Thread-safe.
[[nodiscard]] std::string timed_name();

}  // namespace tcrops

#include "download_part.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/sha256.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace tcrops::stages {

PartFile::PartFile(std::filesystem::path path) : path_(std::move(path)) {
  bool told = false;
  while (!open_and_lock()) {
    if (!told) log_info(fmt::format("another process is writing {}; waiting", path_.string()));
    told = true;
    check_interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// False when another process holds the file, or has just renamed or removed it: the name then
// belongs to a new file, and the lock on the old one is worth nothing.
bool PartFile::open_and_lock() {
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) throw system_error("cannot create", path_, errno);
  struct stat opened {};
  struct stat named {};
  const bool locked = flock(file, LOCK_EX | LOCK_NB) == 0;
  const int reason = errno;
  if (locked && fstat(file, &opened) == 0 && ::stat(path_.c_str(), &named) == 0 &&
      opened.st_ino == named.st_ino && opened.st_dev == named.st_dev) {
    descriptor_ = file;
    size_ = static_cast<std::uint64_t>(opened.st_size);
    return true;
  }
  close(file);
  if (!locked && reason != EWOULDBLOCK && reason != EINTR) {
    throw system_error("cannot lock", path_, reason);
  }
  return false;
}

PartFile::~PartFile() {
  if (size_ == 0 && !published_) unlink(path_.c_str());
  close(descriptor_);
}

std::string PartFile::hash() const { return sha256_file(path_); }

void PartFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw system_error("cannot write", path_, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
}

void PartFile::reset() {
  if (ftruncate(descriptor_, 0) != 0) throw system_error("cannot truncate", path_, errno);
  size_ = 0;
}

void PartFile::publish(const std::filesystem::path& target) {
  if (fsync(descriptor_) != 0) throw system_error("cannot write", path_, errno);
  if (::rename(path_.c_str(), target.c_str()) != 0) {
    throw system_error("cannot replace", target, errno);
  }
  published_ = true;
  sync_path(target.has_parent_path() ? target.parent_path() : std::filesystem::path("."));
}

}  // namespace tcrops::stages

// Whether a folder does what the store relies on: network file systems differ.
#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/store/health.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int number) { return std::generic_category().message(number); }

// What a lock tried by another process meets.
enum class Second { kGranted, kRefused, kBroken };

// In a process of its own: NFS may grant one process the same lock twice.
Second lock_elsewhere(const fs::path& path, int operation) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) _exit(static_cast<int>(Second::kBroken));
    if (flock(descriptor, operation | LOCK_NB) == 0) _exit(static_cast<int>(Second::kGranted));
    _exit(static_cast<int>(errno == EWOULDBLOCK ? Second::kRefused : Second::kBroken));
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status)) return Second::kBroken;
  return static_cast<Second>(WEXITSTATUS(status));
}

// Two files and a folder in the folder that is tried; whatever is left is removed.
class Trial {
 public:
  // Named as a store's own half-written file, so that nothing takes them for somebody else's.
  explicit Trial(const fs::path& folder)
      : first_(folder / fmt::format(".FORMAT.tmp-{}", random_name())),
        second_(folder / fmt::format(".FORMAT.tmp-{}", random_name())) {}
  ~Trial() {
    if (descriptor_ >= 0) close(descriptor_);
    std::error_code ignored;
    fs::remove_all(first_, ignored);
    fs::remove_all(second_, ignored);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  FolderTrial run() {
    descriptor_ = ::open(first_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      found_.read_only = errno == EROFS || errno == EACCES || errno == EPERM;
      if (!found_.read_only) fail("creating a file", reason_of(errno));
      return std::move(found_);
    }
    if (write_and_sync()) {
      try_locks();
      try_renames();
    }
    return std::move(found_);
  }

 private:
  void fail(const std::string& what, const std::string& why) {
    found_.problems.push_back(fmt::format("{}: {}", what, why));
  }

  bool write_and_sync() {
    const ssize_t written = ::write(descriptor_, kText.data(), kText.size());
    if (written != static_cast<ssize_t>(kText.size())) {
      fail("writing a file", reason_of(written < 0 ? errno : ENOSPC));
      return false;
    }
    if (fsync(descriptor_) != 0) fail("syncing a file", reason_of(errno));
    struct stat status {};
    if (fstat(descriptor_, &status) == 0) {
      const auto now = std::chrono::system_clock::now();
      const auto then = std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec) +
                        std::chrono::nanoseconds(status.st_mtim.tv_nsec);
      found_.clock = std::chrono::round<std::chrono::seconds>(then - now);
    }
    return true;
  }

  void try_lock(int own, int other, Second wanted, const std::string& what) {
    if (flock(descriptor_, own | LOCK_NB) != 0) return fail(what, reason_of(errno));
    const Second met = lock_elsewhere(first_, other);
    if (met == wanted) return;
    if (met == Second::kGranted)
      fail(what, "another process gets the lock as well");
    else
      fail(what, "another process cannot lock as it should");
  }

  void try_locks() {
    try_lock(LOCK_EX, LOCK_EX, Second::kRefused, "locking a file");
    try_lock(LOCK_SH, LOCK_SH, Second::kGranted, "sharing a lock");
    try_lock(LOCK_SH, LOCK_EX, Second::kRefused, "keeping others from a shared lock");
    static_cast<void>(flock(descriptor_, LOCK_UN));
  }

  void try_renames() {
    try {
      write_file(second_, "older");
      if (::rename(first_.c_str(), second_.c_str()) != 0) {
        return fail("renaming over a file", reason_of(errno));
      }
      if (read_file(second_) != kText) fail("reading back a renamed file", "other bytes");
      fs::remove(second_);
      fs::create_directory(first_);
      fs::rename(first_, second_);
      sync_path(second_.parent_path());
    } catch (const fs::filesystem_error& e) {
      fail("renaming a folder", e.code().message());
    } catch (const Error& e) {
      fail("replacing a file", e.what());
    }
  }

  static constexpr std::string_view kText = "written by tcrops doctor\n";
  fs::path first_;
  fs::path second_;
  int descriptor_ = -1;
  FolderTrial found_;
};

}  // namespace

FolderTrial try_folder(const fs::path& folder) {
  try {
    return Trial(folder).run();
  } catch (const std::exception& e) {
    FolderTrial broken;
    broken.problems.emplace_back(e.what());
    return broken;
  }
}

}  // namespace tcrops::store

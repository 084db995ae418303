#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/store/store.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tcrops::store {
namespace {

// A draft's folder is locked by its process, so one that can be locked belongs to nobody.
void remove_abandoned(const std::filesystem::path& drafts) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(drafts, ignored)) {
    const int descriptor = ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      std::filesystem::remove_all(entry.path(), ignored);
    close(descriptor);
  }
}

}  // namespace

Draft::Draft(std::filesystem::path directory, int lock)
    : directory_(std::move(directory)), lock_(lock) {}

Draft::Draft(Draft&& other) noexcept
    : directory_(std::exchange(other.directory_, {})), lock_(std::exchange(other.lock_, -1)) {}

Draft::~Draft() {
  if (!directory_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  if (lock_ >= 0) close(lock_);
}

void Draft::add(const std::string& name, std::string_view bytes) const {
  write_file(directory_ / name, bytes);
}

Draft Store::begin_draft() const {
  const auto drafts = root_ / "drafts";
  // Between mkdir and flock another process may take a new folder for an abandoned one; both happen
  // under this lock, so it cannot.
  const FileLock lock(root_ / "drafts.lock");
  remove_abandoned(drafts);
  const auto directory = make_unique_directory(drafts, "tmp-");
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw system_error("cannot open", directory, errno);
  flock(descriptor, LOCK_EX | LOCK_NB);
  return {directory, descriptor};
}

}  // namespace tcrops::store

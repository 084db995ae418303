#include "claim.hpp"

#include "folder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

// Locks a notice nobody holds and keeps it locked; -1 when its process lives.
int take_dead(const fs::path& notice) {
  const int descriptor = ::open(notice.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return -1;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  close(descriptor);
  return -1;
}

// Its lines; none when its process has just ended and removed it.
std::optional<std::vector<std::string>> read_notice(const fs::path& notice) {
  const auto text = read_if_there(notice);
  if (!text) return std::nullopt;
  return split(trim(*text), '\n');
}

// "<claim>.<random name>"
std::string claim_of_draft(const fs::path& draft) { return draft.stem().string(); }

}  // namespace

fs::path store_lock(const fs::path& root) { return root / "store.lock"; }

Claim::Claim(fs::path root) : root_(std::move(root)) {}

Claim::~Claim() {
  if (descriptor_ < 0) return;
  unlink((root_ / "claims" / name_).c_str());
  close(descriptor_);
}

void Claim::open_file() {
  if (descriptor_ >= 0) return;
  name_ = random_name();
  const auto path = root_ / "claims" / name_;
  make_directories(root_ / "claims");
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw system_error("cannot create", path, errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) throw system_error("cannot lock", path, errno);
}

void Claim::add(const std::string& what) {
  const std::lock_guard lock(mutex_);
  open_file();
  if (claimed_.contains(what)) return;
  const std::string line = what + "\n";
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    throw system_error("cannot write", root_ / "claims" / name_, written < 0 ? errno : ENOSPC);
  }
  claimed_.insert(what);
}

fs::path Claim::next_draft() {
  const std::lock_guard lock(mutex_);
  open_file();
  return root_ / "drafts" / fmt::format("{}.{}", name_, random_name());
}

std::vector<fs::path> Claim::inherit() {
  const auto census = take_census(root_, [&] {
    const std::lock_guard lock(mutex_);
    return name_;
  }());
  std::vector<fs::path> inherited;
  std::error_code ignored;
  for (const fs::path& left : census.deceased) {
    if (left.parent_path().filename() == "claims") {
      fs::remove(left, ignored);
    } else if (fs::path mine = next_draft(); ::rename(left.c_str(), mine.c_str()) == 0) {
      inherited.push_back(std::move(mine));
    }
  }
  return inherited;
}

Census take_census(const fs::path& root, const std::string& own) {
  Census census;
  std::set<std::string> living;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "claims", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == own) {
      // Over NFS, closing any descriptor of a file gives up this process's locks on it.
      living.insert(name);
    } else if (const int dead = take_dead(entry.path()); dead >= 0) {
      close(dead);
      census.deceased.push_back(entry.path());
    } else if (const auto lines = read_notice(entry.path())) {
      living.insert(name);
      census.claimed.insert(lines->begin(), lines->end());
    }
  }
  for (const auto& entry : fs::directory_iterator(root / "drafts", ignored)) {
    if (!living.contains(claim_of_draft(entry.path()))) census.deceased.push_back(entry.path());
  }
  return census;
}

}  // namespace tcrops::store

#include "claim.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/store/store.hpp>

#include <utility>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr int kWriteAttempts = 9;

}  // namespace

Draft::Draft(fs::path directory, std::shared_ptr<Claim> claim)
    : directory_(std::move(directory)), claim_(std::move(claim)) {}

Draft::Draft(Draft&& other) noexcept
    : directory_(std::exchange(other.directory_, {})), claim_(std::move(other.claim_)) {}

Draft::~Draft() {
  if (directory_.empty()) return;
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Draft::add(const std::string& name, std::string_view bytes) const {
  write_file(directory_ / name, bytes);
}

Draft Store::begin_draft() const {
  if (!claim_) throw Error(ExitCode::kFailure, "a store opened for reading takes no drafts");
  std::vector<fs::path> inherited;
  fs::path directory;
  {
    // Between its name and its making another process may take a draft for an abandoned one.
    const FileLock lock(store_lock(root_));
    inherited = claim_->inherit();
    directory = claim_->next_draft();
    make_directories(directory);
  }
  std::error_code ignored;
  for (const fs::path& path : inherited) fs::remove_all(path, ignored);
  return {directory, claim_};
}

WorkFolder::WorkFolder(fs::path directory, std::shared_ptr<const Draft> owner)
    : directory_(std::move(directory)), owner_(std::move(owner)) {}

fs::path WorkFolder::directory() const {
  make_directories(directory_);
  return directory_;
}

void WorkFolder::write(const std::string& name, std::string_view bytes) const {
  for (int attempt = 0;; ++attempt) {
    try {
      replace_file(directory() / name, bytes);
      return;
    } catch (const Error& e) {
      // A twin process that has just published may be dropping the folder under us. It need not be
      // gone yet: its files go first.
      if (e.code() == ExitCode::kTemporary || attempt == kWriteAttempts) throw;
    }
  }
}

void WorkFolder::drop() const {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

WorkFolder Store::work(const ReuseKey& key) const {
  const std::string digest = key.digest();
  if (claim_) {
    const FileLock lock(store_lock(root_), FileLock::Mode::kShared);
    claim("work:" + digest);
  }
  return {root_ / "work" / digest, nullptr};
}

WorkFolder Store::private_work() const {
  auto draft = std::make_shared<const Draft>(begin_draft());
  auto directory = draft->directory();
  return {std::move(directory), std::move(draft)};
}

}  // namespace tcrops::store

#include "claim.hpp"
#include "folder.hpp"
#include "hash_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/health.hpp>
#include <tcrops/store/registry.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr auto kTolerance = std::chrono::seconds(5);
// Before the first release no clock can be right.
constexpr const char* kEarliest = "2026-01-01T00:00:00Z";

bool is_alive(const fs::path& notice) {
  const int descriptor = ::open(notice.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return errno != ENOENT;  // somebody else's: not ours to judge
  const bool locked = flock(descriptor, LOCK_EX | LOCK_NB) != 0;
  close(descriptor);
  return locked;
}

// Names of the notices of living processes, and what they claim.
struct Living {
  std::set<std::string> notices;
  std::set<std::string> claimed;
};

Living living_now(const fs::path& root) {
  Living living;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "claims", ignored)) {
    if (!is_alive(entry.path())) continue;
    living.notices.insert(entry.path().filename().string());
    try {
      const std::string text = read_file(entry.path(), ExitCode::kArtifact);
      for (const std::string& line : split(trim(text), '\n')) living.claimed.insert(line);
    } catch (const Error&) {
      // It has just ended.
    }
  }
  return living;
}

std::size_t hidden_in(const fs::path& folder) {
  std::error_code ignored;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    count += name.starts_with(".") && name.find(".tmp-") != std::string::npos ? 1U : 0U;
  }
  return count;
}

Leftovers count_leftovers(const fs::path& root, const Living& living, bool with_drafts) {
  Leftovers found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "work", ignored)) {
    found.work += living.claimed.contains("work:" + entry.path().filename().string()) ? 0U : 1U;
  }
  for (const auto& entry : fs::directory_iterator(root / "drafts", ignored)) {
    if (!with_drafts) break;
    found.drafts += living.notices.contains(entry.path().stem().string()) ? 0U : 1U;
  }
  for (const char* folder : {"", "names", "models"}) found.hidden += hidden_in(root / folder);
  for (const auto& entry : fs::directory_iterator(root / "keys", ignored)) {
    found.hidden += hidden_in(entry.path());
  }
  return found;
}

// The lock keeps others from making a notice just while it is looked at.
Leftovers leftovers_of(const fs::path& root, bool lockable) {
  if (!lockable) return count_leftovers(root, {}, false);
  const FileLock lock(store_lock(root));
  return count_leftovers(root, living_now(root), true);
}

void add_log(const Store& store, StoreHealth& health) {
  const LogContents log = store_log(store.root()).read();
  health.problems.insert(health.problems.end(), log.problems.begin(), log.problems.end());
  for (const Json& entry : log.entries)
    health.newest = std::max(health.newest, text_of(entry, "time"));
  const Registry registry(store);
  health.models = registry.names();
  for (const VerifyProblem& problem : registry.verify()) {
    health.problems.push_back(problem.problem);
  }
}

}  // namespace

std::vector<std::string> clock_problems(const std::string& now, const std::string& newest,
                                        const std::optional<std::chrono::seconds>& file_system) {
  std::vector<std::string> problems;
  if (now < kEarliest) {
    problems.push_back(fmt::format("this machine's clock says {}, which is in the past", now));
  }
  if (!newest.empty() && now < newest) {
    problems.push_back(fmt::format(
        "this machine's clock says {}, but the store's log has a line of {}", now, newest));
  }
  if (file_system && std::chrono::abs(*file_system) > kTolerance) {
    problems.push_back(fmt::format("the file system's clock is {} s {} this machine's",
                                   std::chrono::abs(*file_system).count(),
                                   file_system->count() > 0 ? "ahead of" : "behind"));
  }
  return problems;
}

StoreHealth examine_store(const Store& store, bool lockable) {
  StoreHealth health;
  add_log(store, health);
  std::set<std::string> known;
  for (const CatalogEntry& entry : store.catalog()) {
    ++health.artifacts;
    health.bytes += entry.bytes;
    known.insert(entry.id);
    if (entry.kind.empty()) {
      health.problems.push_back(fmt::format("artifact {} is damaged and not in the log", entry.id));
    }
  }
  for (const auto& [name, id] : store.names()) {
    if (known.contains(id)) continue;
    health.problems.push_back(
        fmt::format("the name {} points at {}, which is missing", name, valid_utf8(id)));
  }
  health.leftovers = leftovers_of(store.root(), lockable);
  return health;
}

}  // namespace tcrops::store

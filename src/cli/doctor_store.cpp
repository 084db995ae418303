#include "doctor.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/store/health.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <system_error>

#include <algorithm>

namespace tcrops::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLittleSpace = 1'000'000'000;
constexpr std::uint64_t kLittleShare = 20;  // one in so many
constexpr std::size_t kMostShown = 5;

// Where the store is, or the nearest folder in which it would be made.
fs::path nearest_folder(const fs::path& root) {
  std::error_code ignored;
  fs::path folder = fs::absolute(root).lexically_normal();
  while (!fs::is_directory(folder, ignored) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

Check disk_check(const fs::path& folder, const store::FolderTrial& trial) {
  const store::DiskSpace disk = store::examine_disk(folder);
  Check check;
  check.found =
      fmt::format("{} of {} free, {}{}", gigabytes(disk.free_bytes), gigabytes(disk.bytes),
                  disk.type, disk.network ? " (network file system)" : "");
  check.facts = {{"folder", folder.string()}, {"file_system", disk.type},
                 {"network", disk.network},   {"free_bytes", disk.free_bytes},
                 {"bytes", disk.bytes},       {"free_inodes", disk.free_inodes},
                 {"inodes", disk.inodes},     {"read_only", trial.read_only},
                 {"problems", trial.problems}};
  if (disk.free_bytes < kLittleSpace || disk.free_bytes < disk.bytes / kLittleShare) {
    note(check, Status::kWarning, "little space left",
         "free some space, or choose another disk with --store");
  }
  if (disk.free_inodes < disk.inodes / kLittleShare) {
    note(check, Status::kWarning,
         fmt::format("{} of {} inodes left", disk.free_inodes, disk.inodes),
         "remove files that nobody needs");
  }
  if (trial.read_only) {
    note(check, Status::kWarning, "cannot be written: results can be read, nothing can be made",
         "check the permissions, or choose another place with --store");
  } else if (trial.problems.empty()) {
    note(check, Status::kOk, "writing, renaming and locking work", "");
  } else {
    note(check, Status::kFailed, fmt::format("{}", fmt::join(trial.problems, "; ")),
         "a store needs this; choose a file system that has it (NFS: version 4) with --store");
  }
  return check;
}

Check clock_check(const std::string& newest, const store::FolderTrial& trial) {
  const std::string now = utc_now();
  const auto problems = store::clock_problems(now, newest, trial.clock);
  Check check;
  check.found = problems.empty() ? now : fmt::format("{}", fmt::join(problems, "; "));
  if (!problems.empty()) {
    check.status = Status::kWarning;
    check.advice = "set the clocks (NTP); times in logs are wrong, results are not";
  }
  check.facts = {{"now", now},
                 {"newest_log_line", newest.empty() ? Json() : Json(newest)},
                 {"file_system_ahead_seconds", trial.clock ? Json(trial.clock->count()) : Json()}};
  return check;
}

void add_leftovers(Check& check, const store::Leftovers& left) {
  if (left.work + left.drafts + left.hidden == 0) return;
  note(check, Status::kWarning,
       fmt::format("left behind: {} half-done work folders, {} drafts, {} hidden files", left.work,
                   left.drafts, left.hidden),
       "the same command continues half-done work; `tcrops artifacts gc` removes what is left "
       "behind");
}

Check health_check(const store::StoreHealth& health) {
  Check check;
  check.found = fmt::format("{} artifacts, {}, {} registered models", health.artifacts,
                            gigabytes(health.bytes), health.models.size());
  check.facts = {{"exists", true},
                 {"artifacts", health.artifacts},
                 {"bytes", health.bytes},
                 {"models", health.models},
                 {"problems", health.problems},
                 {"work_folders", health.leftovers.work},
                 {"drafts", health.leftovers.drafts},
                 {"hidden_files", health.leftovers.hidden}};
  add_leftovers(check, health.leftovers);
  if (!health.problems.empty()) {
    const std::size_t shown = std::min(health.problems.size(), kMostShown);
    const std::vector<std::string> first(
        health.problems.begin(), health.problems.begin() + static_cast<std::ptrdiff_t>(shown));
    const std::size_t more = health.problems.size() - shown;
    note(check, Status::kFailed,
         fmt::format("{}{}", fmt::join(first, "; "),
                     more == 0 ? "" : fmt::format("; and {} more", more)),
         "`tcrops artifacts verify` looks at everything; restore what was changed from a backup, "
         "or make it again");
  }
  return check;
}

bool is_there(const fs::path& root) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(root, ignored))) return false;
  if (!fs::is_directory(root, ignored)) {
    throw Error(ExitCode::kArtifact, fmt::format("{} is not a folder", root.string()));
  }
  return fs::exists(root / "FORMAT") || !fs::is_empty(root);
}

}  // namespace

StoreChecks check_store(const fs::path& root) {
  StoreChecks checks;
  std::string newest;
  const fs::path folder = nearest_folder(root);
  const store::FolderTrial trial = store::try_folder(folder);
  try {
    if (is_there(root)) {
      const auto health = store::examine_store(store::Store::open_existing(root),
                                               !trial.read_only && trial.problems.empty());
      newest = health.newest;
      checks.store = health_check(health);
    } else {
      checks.store.found = "none yet";
      checks.store.facts = {{"exists", false}};
    }
  } catch (const std::exception& e) {
    note(checks.store, Status::kFailed, e.what(), "name another folder with --store");
  }
  checks.store.facts["path"] = root.string();
  try {
    checks.disk = disk_check(folder, trial);
  } catch (const std::exception& e) {
    note(checks.disk, Status::kFailed, e.what(), "name another folder with --store");
  }
  checks.clock = clock_check(newest, trial);
  return checks;
}

}  // namespace tcrops::cli

#pragma once

#include <tcrops/store/store.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::store {

// The disk that a folder is on.
struct DiskSpace {
  std::uint64_t free_bytes = 0;  // for this user
  std::uint64_t bytes = 0;
  std::uint64_t free_inodes = 0;
  std::uint64_t inodes = 0;  // 0 where the file system makes them as needed
  std::string type;          // "ext4", "nfs4"; "unknown" when the system does not say
  bool network = false;      // other machines may have it too
};
// Throws Error.
[[nodiscard]] DiskSpace examine_disk(const std::filesystem::path& folder);

// Whether a folder allows what a store does in it.
struct FolderTrial {
  bool read_only = false;                     // nothing was tried then
  std::vector<std::string> problems;          // what does not work
  std::optional<std::chrono::seconds> clock;  // the file system's minus this machine's
};
// Creates, writes, syncs, reads back, renames over and locks files of its own with hidden names,
// and removes them. Call it while the process has one thread. Does not throw.
[[nodiscard]] FolderTrial try_folder(const std::filesystem::path& folder);

// What a look at the clocks found; empty when they agree. `newest` is the time of the newest line
// of the store's log, "" when there is none; `now` the host's time; both as utc_now() writes them.
[[nodiscard]] std::vector<std::string> clock_problems(
    const std::string& now, const std::string& newest,
    const std::optional<std::chrono::seconds>& file_system);

// What a killed process has left behind.
struct Leftovers {
  std::size_t work = 0;    // half-done work, taken up again by the same command
  std::size_t drafts = 0;  // artifacts that were never published
  std::size_t hidden = 0;  // files that were never renamed into place
};

struct StoreHealth {
  std::size_t artifacts = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> models;    // registered
  std::string newest;                 // time of the newest line of the log, "" when there is none
  std::vector<std::string> problems;  // logs that were changed, names and artifacts that are broken
  Leftovers leftovers;
};
// Opens no artifact, so a hundred thousand take seconds. With `lockable` what living processes
// claim does not count as left over; without it drafts are not counted. Throws Error.
[[nodiscard]] StoreHealth examine_store(const Store& store, bool lockable);

}  // namespace tcrops::store

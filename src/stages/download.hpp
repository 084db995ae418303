#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tcrops::stages {

// A file somewhere, as a rule pinned by its contents.
struct DownloadSource {
  std::string location;     // https://, http://, or a local path
  std::string sha256;       // 64 hexadecimal digits; empty: whatever comes, always got anew
  std::uint64_t bytes = 0;  // exact size; 0 when unknown, then at most 1 GiB is taken
};

struct DownloadOptions {
  std::int64_t retries = 5;          // attempts after the first one
  double first_pause_seconds = 0.5;  // doubles with each retry, at most 30
  double stall_seconds = 30;         // give up an attempt that brings less than 1 KiB in this time
};

// Leaves the whole file with the pinned hash at `target`, or throws and leaves nothing there. Does
// nothing when it is there already; a file with another hash is removed first. Makes the folder.
//
// `target`.part holds what has arrived. It is kept when the process dies, is interrupted, the disk
// is full or the network fails, and the next call continues it with a Range request; it is removed
// when its contents are wrong. Its lock makes a second process wait for the first.
//
// Refused connections, truncated bodies, stalls and the statuses 408, 425, 429 and 5xx are tried
// again. Redirects: at most 5, only to http and https, never from an https source to http. Proxies
// come from the usual variables (https_proxy, no_proxy). Names, passwords and queries in URLs never
// reach a message.
//
// Throws Error: kTemporary when the network or the disk gave out, kInputData when the source is
// missing, refuses, or is not the pinned file, kConfiguration for a location or hash that cannot be
// meant, and what check_interrupt() throws (within about a second). Thread-safe for different
// targets.
void download(const DownloadSource& source, const std::filesystem::path& target,
              const DownloadOptions& options = {});

// The location of `file_name` in a mirror, which is a folder or a URL; a query stays at the end.
[[nodiscard]] std::string join_mirror(const std::string& mirror, const std::string& file_name);

// The location as it may be shown or recorded: a URL without user, password, query and fragment, a
// path as it is.
[[nodiscard]] std::string shown_location(std::string_view location);

}  // namespace tcrops::stages

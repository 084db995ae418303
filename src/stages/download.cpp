#include "download.hpp"

#include "download_http.hpp"
#include "download_part.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

namespace tcrops::stages {
namespace {

constexpr std::uint64_t kMostBytes = 1ULL << 30U;  // of a file whose size is not known
constexpr double kLongestPause = 30;
constexpr std::size_t kBlockBytes = 1U << 20U;

bool is_url(std::string_view location) { return location.find("://") != std::string_view::npos; }

std::uint64_t limit_of(const DownloadSource& source) {
  return source.bytes > 0 ? source.bytes : kMostBytes;
}

// The source with its hash in lower case.
DownloadSource checked(DownloadSource source) {
  source.sha256 = to_lower(source.sha256);
  const bool is_hash = source.sha256.size() == 64 &&
                       source.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hash && !source.sha256.empty()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("the SHA-256 \"{}\" pinned for {} is not 64 hexadecimal digits",
                            source.sha256, shown_location(source.location)));
  }
  const std::string start = to_lower(source.location.substr(0, 8));
  if (is_url(source.location) && !start.starts_with("http://") && start != "https://") {
    throw Error(ExitCode::kConfiguration,
                fmt::format("cannot download from {}: only https://, http:// and local paths",
                            shown_location(source.location)));
  }
  return source;
}

void pause(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    check_interrupt();
    const std::chrono::duration<double> left = end - std::chrono::steady_clock::now();
    if (left.count() <= 0) return;
    std::this_thread::sleep_for(std::min(left, std::chrono::duration<double>(0.1)));
  }
}

[[noreturn]] void network_gave_out(const DownloadSource& source, const std::string& reason,
                                   std::uint64_t kept) {
  throw Error(
      ExitCode::kTemporary,
      fmt::format("cannot get {}: {}; check the network and the proxy (https_proxy), or use "
                  "a copy (--mirror DIR|URL). {} bytes are kept: the same command continues",
                  shown_location(source.location), reason, kept));
}

[[noreturn]] void not_the_pinned_file(const DownloadSource& source, const std::string& what) {
  throw Error(
      ExitCode::kInputData,
      fmt::format("{} is not the pinned file: {}. The source has changed or was tampered "
                  "with; nothing was kept. Use a copy of the pinned file (--mirror DIR|URL)",
                  shown_location(source.location), what));
}

std::string too_long(const DownloadSource& source) {
  if (source.bytes > 0) return fmt::format("it has more than its {} bytes", source.bytes);
  return fmt::format("it has more than {} bytes, the most that is taken", kMostBytes);
}

// Requests until the server says that all was sent (kWhole) or has sent too much (kTooLong).
HttpReply fetch_all(const DownloadSource& source, const DownloadOptions& options,
                    const std::string& label, PartFile& part) {
  const HttpRequest request{source.location, label, limit_of(source), source.bytes > 0,
                            options.stall_seconds};
  double wait = options.first_pause_seconds;
  std::int64_t failures = 0;
  for (;;) {
    check_interrupt();
    if (part.size() > 0) log_info(fmt::format("{}: continuing at byte {}", label, part.size()));
    HttpReply reply = http_fetch(request, part);
    if (reply.outcome == HttpReply::Outcome::kRefused) {
      part.reset();  // needs a part with bytes, so it cannot go on for ever
      continue;
    }
    if (reply.outcome != HttpReply::Outcome::kFailed) return reply;
    if (failures >= options.retries) network_gave_out(source, reply.reason, part.size());
    ++failures;
    const double seconds = std::min(kLongestPause, std::max(wait, reply.pause_seconds));
    log_warning(fmt::format("{}: {}; trying again in {:.3g} s ({} of {})",
                            shown_location(source.location), reply.reason, seconds, failures,
                            options.retries));
    pause(seconds);
    wait *= 2;
  }
}

bool is_wanted(const DownloadSource& source, const std::string& sha256) {
  return source.sha256.empty() || sha256 == source.sha256;
}

// Fills the part with the pinned contents. Without a pinned hash nothing can tell whether what is
// there already belongs to the same file.
void fetch_verified(const DownloadSource& source, const DownloadOptions& options,
                    const std::string& label, PartFile& part) {
  if (source.sha256.empty()) part.reset();
  if (part.size() > 0) {
    if (part.hash() == source.sha256) return;  // died just before the rename
    if (part.size() >= limit_of(source)) part.reset();
  }
  for (bool again = false;; again = true) {
    const HttpReply reply = fetch_all(source, options, label, part);
    std::string fault;
    if (reply.outcome == HttpReply::Outcome::kTooLong) {
      fault = too_long(source);
    } else {
      const std::string found = part.hash();
      if (is_wanted(source, found)) return;
      fault = fmt::format("SHA-256 {}, pinned {}", found, source.sha256);
    }
    part.reset();
    if (again || !reply.resumed) not_the_pinned_file(source, fault);
    // The kept bytes may come from another version of the file.
    log_warning(fmt::format("{}: wrong after continuing ({}); trying once from the beginning",
                            shown_location(source.location), fault));
  }
}

// A wrong file at `target` is removed, which must not take the source away.
void refuse_own_source(const DownloadSource& source, const std::filesystem::path& target) {
  std::error_code ignored;
  if (is_url(source.location) || !std::filesystem::equivalent(source.location, target, ignored)) {
    return;
  }
  throw Error(
      ExitCode::kInputData,
      fmt::format("{} does not have the pinned SHA-256 {}, and is its own source; remove it "
                  "or name another source",
                  target.string(), source.sha256));
}

// Refuses what is no regular file: a pipe would block, a device never ends.
void check_local(const DownloadSource& source) {
  struct stat found {};
  if (::stat(source.location.c_str(), &found) != 0) {
    throw system_error("cannot read", source.location, errno, ExitCode::kInputData);
  }
  if (!S_ISREG(found.st_mode)) {
    throw Error(ExitCode::kInputData, fmt::format("cannot read {}: not a file", source.location));
  }
}

void copy_verified(const DownloadSource& source, const std::string& label, PartFile& part) {
  check_local(source);
  std::ifstream in(source.location, std::ios::binary);
  if (!in) throw system_error("cannot read", source.location, errno, ExitCode::kInputData);
  part.reset();
  Progress progress(label, source.bytes, "bytes");
  Sha256 hash;
  std::vector<char> block(kBlockBytes);
  while (in) {
    check_interrupt();
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    const std::string_view bytes(block.data(), static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > limit_of(source) - part.size()) {
      part.reset();
      not_the_pinned_file(source, too_long(source));
    }
    hash.update(bytes);
    part.append(bytes);
    progress.update(part.size());
  }
  if (in.bad()) throw system_error("cannot read", source.location, EIO, ExitCode::kInputData);
  const std::string found = hash.hex();
  if (is_wanted(source, found)) return;
  part.reset();
  not_the_pinned_file(source, fmt::format("SHA-256 {}, pinned {}", found, source.sha256));
}

bool is_there(const std::filesystem::path& target, const std::string& sha256) {
  std::error_code ignored;
  return !sha256.empty() && std::filesystem::is_regular_file(target, ignored) &&
         sha256_file(target) == sha256;
}

void remove_wrong(const std::filesystem::path& target) {
  if (unlink(target.c_str()) == 0) {
    log_warning(fmt::format("{} was not the pinned file: removed", target.string()));
  } else if (errno != ENOENT) {
    throw system_error("cannot remove", target, errno);
  }
}

}  // namespace

void download(const DownloadSource& wanted, const std::filesystem::path& target,
              const DownloadOptions& options) {
  const DownloadSource source = checked(wanted);
  if (is_there(target, source.sha256)) return;
  refuse_own_source(source, target);
  if (target.has_parent_path()) make_directories(target.parent_path());
  std::filesystem::path part_path = target;
  part_path += ".part";
  PartFile part(part_path);
  if (is_there(target, source.sha256)) {  // another process was faster
    part.reset();
    return;
  }
  remove_wrong(target);
  const std::string label = "fetch " + target.filename().string();
  if (is_url(source.location)) {
    fetch_verified(source, options, label, part);
  } else {
    copy_verified(source, label, part);
  }
  part.publish(target);
}

std::string join_mirror(const std::string& mirror, const std::string& file_name) {
  if (!is_url(mirror)) return (std::filesystem::path(mirror) / file_name).string();
  const std::size_t end = std::min(mirror.find_first_of("?#"), mirror.size());
  std::string base = mirror.substr(0, end);
  if (!base.ends_with('/')) base += '/';
  return base + file_name + mirror.substr(end);
}

std::string shown_location(std::string_view location) {
  if (!is_url(location)) return std::string(location);
  std::string text(location.substr(0, location.find_first_of("?#")));
  const std::size_t host = text.find("://") + 3;
  const std::size_t user = text.substr(host, text.find('/', host) - host).rfind('@');
  if (user != std::string::npos) text.erase(host, user + 1);
  return text;
}

}  // namespace tcrops::stages

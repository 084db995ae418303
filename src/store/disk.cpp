#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/health.hpp>

#include <sys/statvfs.h>
#include <system_error>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

// "\040" -> " ", as /proc/self/mountinfo writes what would end a field.
std::string unescape(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  constexpr int kOctal = 8;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + kDigits >= text.size()) {
      plain += text[i];
      continue;
    }
    int code = 0;
    for (std::size_t digit = 1; digit <= kDigits; ++digit)
      code = code * kOctal + text[i + digit] - '0';
    plain += static_cast<char>(code);
    i += kDigits;
  }
  return plain;
}

bool contains(const std::string& folder, const std::string& path) {
  return folder == "/" || path == folder ||
         (path.starts_with(folder) && path[folder.size()] == '/');
}

// Of the deepest mount that holds the path; the last of several on one folder counts.
std::string type_of(const fs::path& folder) {
  std::error_code ignored;
  const std::string path = fs::canonical(folder, ignored).string();
  std::string type = "unknown";
  std::size_t longest = 0;
  for (const std::string& line : split(read_file("/proc/self/mountinfo"), '\n')) {
    // id parent major:minor root mount-point options [optional …] - type source options
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    constexpr std::size_t kMountPoint = 4;
    if (fields.size() <= kMountPoint || fields.end() - dash < 2) continue;
    const std::string point = unescape(fields[kMountPoint]);
    if (!contains(point, path) || point.size() < longest) continue;
    longest = point.size();
    type = *(dash + 1);
  }
  return type;
}

bool is_network(const std::string& type) {
  constexpr std::array<std::string_view, 14> kTypes = {
      "nfs",  "nfs4",   "cifs",      "smb3", "smbfs",  "9p",    "afs",
      "ceph", "lustre", "glusterfs", "gpfs", "beegfs", "ocfs2", "fuse"};
  return type.starts_with("fuse.") || std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace

DiskSpace examine_disk(const fs::path& folder) {
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) != 0) throw system_error("cannot examine", folder, errno);
  DiskSpace disk{.free_bytes = std::uint64_t{found.f_bavail} * found.f_frsize,
                 .bytes = std::uint64_t{found.f_blocks} * found.f_frsize,
                 .free_inodes = found.f_favail,
                 .inodes = found.f_files,
                 .type = "unknown",
                 .network = false};
  try {
    disk.type = type_of(folder);
  } catch (const Error&) {
    // No /proc: the space is worth knowing all the same.
  }
  disk.network = is_network(disk.type);
  return disk;
}

}  // namespace tcrops::store

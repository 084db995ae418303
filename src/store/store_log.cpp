#include "store_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tcrops::store {
namespace {

const std::string kNoPrevious(64, '0');

struct Tail {
  std::string last_line;  // without its newline; empty when the log is empty
  off_t whole = 0;        // bytes up to and with the last newline
};

// Reads back from the end until the last whole line is in hand.
Tail read_tail(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) throw system_error("cannot read", path, errno);
  constexpr off_t kStep = 4096;
  std::string bytes;
  for (off_t begin = status.st_size; begin > 0;) {
    const off_t step = std::min(begin, kStep);
    begin -= step;
    std::string block(static_cast<std::size_t>(step), '\0');
    if (pread(descriptor, block.data(), block.size(), begin) != step) {
      throw system_error("cannot read", path, errno);
    }
    bytes.insert(0, block);
    const std::size_t end = bytes.rfind('\n');
    if (end == std::string::npos) continue;
    const std::size_t start = end == 0 ? std::string::npos : bytes.rfind('\n', end - 1);
    if (start == std::string::npos && begin > 0) continue;
    const std::size_t first = start == std::string::npos ? 0 : start + 1;
    return {bytes.substr(first, end - first), begin + static_cast<off_t>(end) + 1};
  }
  return {};
}

}  // namespace

void append_log(const std::filesystem::path& root, Json entry) {
  const auto path = root / "log.jsonl";
  const FileLock lock(root / "log.lock");
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw system_error("cannot open", path, errno);
  try {
    const Tail tail = read_tail(descriptor, path);
    entry["previous"] = tail.whole == 0 ? kNoPrevious : sha256_hex(tail.last_line);
    const std::string line = entry.dump() + "\n";
    if (ftruncate(descriptor, tail.whole) != 0) throw system_error("cannot write", path, errno);
    const ssize_t written = pwrite(descriptor, line.data(), line.size(), tail.whole);
    if (written != static_cast<ssize_t>(line.size())) {
      const int reason = written < 0 ? errno : ENOSPC;
      if (ftruncate(descriptor, tail.whole) != 0) throw system_error("cannot write", path, errno);
      throw system_error("cannot write", path, reason);
    }
    if (fsync(descriptor) != 0) throw system_error("cannot write", path, errno);
  } catch (...) {
    close(descriptor);
    throw;
  }
  close(descriptor);
}

std::string text_of(const Json& object, const std::string& key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

LogContents read_log(const std::filesystem::path& root) {
  LogContents contents;
  const auto path = root / "log.jsonl";
  if (!std::filesystem::exists(path)) return contents;
  const std::string bytes = read_file(path, ExitCode::kArtifact);
  std::string previous = kNoPrevious;
  std::size_t begin = 0;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = bytes.find('\n', begin);
    if (end == std::string::npos) return contents;
    const std::string line = bytes.substr(begin, end - begin);
    begin = end + 1;
    Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!entry.is_object()) {
      contents.problems.push_back(fmt::format("log.jsonl:{}: not readable", number));
    } else {
      if (text_of(entry, "previous") != previous) {
        contents.problems.push_back(fmt::format(
            "log.jsonl:{}: does not follow from the line before it; the log was changed", number));
      }
      contents.entries.push_back(std::move(entry));
    }
    previous = sha256_hex(line);
  }
}

}  // namespace tcrops::store

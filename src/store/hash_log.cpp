#include "hash_log.hpp"

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
  constexpr off_t kFirstStep = 4096;
  std::string bytes;
  off_t wanted = kFirstStep;
  for (off_t begin = status.st_size; begin > 0; wanted *= 2) {
    const off_t step = std::min(begin, wanted);
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

// The tail after a last line that lacks nothing but its newline, as an editor leaves it, was given
// one. What a crash cut off is no line: it has no end, or does not follow from the one before.
Tail complete_tail(int descriptor, const std::filesystem::path& path) {
  Tail tail = read_tail(descriptor, path);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) throw system_error("cannot read", path, errno);
  std::string rest(static_cast<std::size_t>(status.st_size - tail.whole), '\0');
  if (rest.empty()) return tail;
  if (pread(descriptor, rest.data(), rest.size(), tail.whole) != std::ssize(rest))
    throw system_error("cannot read", path, errno);
  const Json entry = Json::parse(rest, nullptr, /*allow_exceptions=*/false);
  const std::string previous = tail.whole == 0 ? kNoPrevious : sha256_hex(tail.last_line);
  if (!entry.is_object() || text_of(entry, "previous") != previous) return tail;
  if (pwrite(descriptor, "\n", 1, status.st_size) != 1)
    throw system_error("cannot write", path, errno);
  return {std::move(rest), status.st_size + 1};
}

// Call with the lock held.
std::string append_line(const std::filesystem::path& path, Json entry) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw system_error("cannot open", path, errno);
  try {
    const Tail tail = complete_tail(descriptor, path);
    entry["previous"] = tail.whole == 0 ? kNoPrevious : sha256_hex(tail.last_line);
    const std::string line = entry.dump() + "\n";
    if (ftruncate(descriptor, tail.whole) != 0) throw system_error("cannot write", path, errno);
    const ssize_t written = pwrite(descriptor, line.data(), line.size(), tail.whole);
    if (written != static_cast<ssize_t>(line.size())) {
      const int reason = written < 0 ? errno : ENOSPC;
      if (ftruncate(descriptor, tail.whole) != 0) throw system_error("cannot write", path, errno);
      throw system_error("cannot write", path, reason);
    }
    if (fsync(descriptor) != 0) {
      const int reason = errno;
      static_cast<void>(ftruncate(descriptor, tail.whole));
      throw system_error("cannot write", path, reason);
    }
    close(descriptor);
    return sha256_hex(std::string_view(line).substr(0, line.size() - 1));
  } catch (...) {
    close(descriptor);
    throw;
  }
}

}  // namespace

HashLog::HashLog(std::filesystem::path path, std::filesystem::path lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

std::string HashLog::append(Json entry) const {
  const FileLock lock(lock_);
  return append_line(path_, std::move(entry));
}

std::string HashLog::append_after(
    const std::function<std::optional<Json>(const LogContents&)>& decide) const {
  const FileLock lock(lock_);
  std::optional<Json> entry = decide(read());
  return entry ? append_line(path_, *std::move(entry)) : std::string();
}

LogContents HashLog::read() const {
  LogContents contents;
  const std::string name = path_.filename().string();
  std::string previous = kNoPrevious;
  const std::string bytes = read_unchecked();
  std::size_t number = 0;
  for (const std::string_view line : whole_lines(bytes)) {
    ++number;
    std::string hash = sha256_hex(line);
    Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!entry.is_object()) {
      contents.problems.push_back(fmt::format("{}:{}: not readable", name, number));
    } else {
      if (text_of(entry, "previous") != previous) {
        contents.problems.push_back(fmt::format(
            "{}:{}: does not follow from the line before it; the log was changed", name, number));
      }
      contents.entries.push_back(std::move(entry));
      contents.hashes.push_back(hash);
    }
    previous = std::move(hash);
  }
  return contents;
}

std::string HashLog::read_unchecked() const {
  return std::filesystem::exists(path_) ? read_file(path_, ExitCode::kArtifact) : std::string();
}

std::vector<std::string_view> whole_lines(std::string_view bytes) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0;;) {
    const std::size_t end = bytes.find('\n', begin);
    if (end == std::string_view::npos) return lines;
    lines.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
}

HashLog store_log(const std::filesystem::path& root) {
  return {root / "log.jsonl", root / "log.lock"};
}

std::string text_of(const Json& object, const std::string& key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace tcrops::store

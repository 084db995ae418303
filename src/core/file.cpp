#include <tcrops/core/file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <span>

namespace tcrops {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr int kReadAttempts = 3;

// Closes a descriptor when the scope ends.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw system_error("cannot write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Throws std::system_error.
std::string read_once(const std::filesystem::path& path) {
  const auto fail = [] { throw std::system_error(errno, std::generic_category()); };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail();
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail();
  // One byte more than a plain file has, so that one look past its end is enough.
  std::string bytes(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)) + 1, '\0');
  for (std::size_t size = 0;;) {
    const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
    if (count > 0)
      size += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      fail();
    if (size == bytes.size()) bytes.resize(2 * size + kBufferBytes);
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path, ExitCode otherwise) {
  for (int attempt = 1;; ++attempt) {
    try {
      return read_once(path);
    } catch (const std::system_error& e) {
      // On a network file system, a file that another host has replaced meanwhile: open it anew.
      if (e.code().value() == ESTALE && attempt < kReadAttempts) continue;
      throw system_error("cannot read", path, e.code().value(), otherwise);
    }
  }
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) throw system_error("cannot create", path, errno);
  write_all(file.get(), bytes, path);
  if (fsync(file.get()) != 0) throw system_error("cannot write", path, errno);
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)),
      temporary_(path_.parent_path() /
                 fmt::format(".{}.tmp-{}", path_.filename().string(), random_name())),
      descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw system_error("cannot create", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::flush() {
  write_all(descriptor_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void AtomicFile::commit() {
  flush();
  if (fsync(descriptor_) != 0) throw system_error("cannot write", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw system_error("cannot replace", path_, errno);
  }
  close(descriptor_);
  descriptor_ = -1;
  sync_path(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path("."));
}

void replace_file(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void make_directories(const std::filesystem::path& path) {
  std::error_code status;
  std::filesystem::create_directories(path, status);
  if (status) throw system_error("cannot create the folder", path, status.value());
}

std::filesystem::path make_unique_directory(const std::filesystem::path& parent,
                                            std::string_view prefix) {
  const auto path = parent / fmt::format("{}{}", prefix, random_name());
  if (::mkdir(path.c_str(), 0755) != 0) throw system_error("cannot create the folder", path, errno);
  return path;
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw system_error("cannot open", path, errno);
  // Some network file systems refuse fsync on a folder; they sync a rename by themselves.
  if (fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS) {
    throw system_error("cannot sync", path, errno);
  }
}

FileLock::FileLock(const std::filesystem::path& path, Mode mode)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw system_error("cannot open", path, errno);
  while (flock(descriptor_, mode == Mode::kShared ? LOCK_SH : LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int reason = errno;
    close(descriptor_);
    throw system_error("cannot lock", path, reason);
  }
}

FileLock::~FileLock() { close(descriptor_); }

namespace {

void fill_randomly(void* bytes, std::size_t size) {
  if (getrandom(bytes, size, 0) != static_cast<ssize_t>(size))
    throw Error(ExitCode::kFailure, "the system gives no random numbers");
}

// Many at a time: asking the system costs more than what it gives.
class RandomNumbers {
 public:
  std::uint64_t next() {
    if (used_ == numbers_.size()) {
      fill_randomly(numbers_.data(), sizeof(numbers_));
      used_ = 0;
    }
    return numbers_[used_++];
  }

 private:
  std::array<std::uint64_t, 32> numbers_{};  // getrandom() never gives less than 256 bytes
  std::size_t used_ = numbers_.size();
};

// The last digits of a number, as many as there is room for.
void write_hex(std::span<char> to, std::uint64_t number) {
  for (std::size_t i = to.size(); i > 0; --i, number >>= 4U)
    to[i - 1] = "0123456789abcdef"[number & 15U];
}

}  // namespace

std::string random_name() {
  std::uint64_t number = 0;
  fill_randomly(&number, sizeof(number));
  return fmt::format("{:016x}", number);
}

std::string timed_name() {
  using std::chrono::milliseconds;
  thread_local RandomNumbers random;
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto time = std::chrono::duration_cast<milliseconds>(since_1970).count();
  constexpr std::size_t kTimeDigits = 12;
  std::string name(kTimeDigits + 16, '0');
  write_hex(std::span(name).first(kTimeDigits), static_cast<std::uint64_t>(time));
  write_hex(std::span(name).subspan(kTimeDigits), random.next());
  return name;
}

}  // namespace tcrops

// Loaded before a program (LD_PRELOAD) to make every file system behave like a bad network one.
//
// Always: folders are listed in random order, times of files are years off in both directions, and
// the process number and host name are random. By HOSTILE_FS, a text with any of these words:
//   late   a file or folder that another process has just renamed to a new name is not seen
//   stale  the first read of a file that was renamed over another one fails with ESTALE
//   lock   a lock by a descriptor that cannot write, or of a folder, fails with EBADF
// HOSTILE_FS_MOVES names a file in which the processes tell each other what they rename, and
// HOSTILE_FS_UNSEEN_MS says for how many milliseconds that is news (30 without it).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kMoves = 1U << 16U;

template <class Function>
Function next(const char* name) {
  // The pointer that dlsym gives is a function's, which C++ has no cast for.
  void* const found = dlsym(RTLD_NEXT, name);
  Function function = nullptr;
  std::memcpy(&function, &found, sizeof(function));
  return function;
}

std::uint64_t random_number() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) std::abort();
  return value;
}

bool is_on(const char* word) {
  const char* const words = std::getenv("HOSTILE_FS");
  return words != nullptr && std::strstr(words, word) != nullptr;
}

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::int64_t unseen_nanoseconds() {
  constexpr std::int64_t kMilliseconds = 30;
  constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
  const char* const text = std::getenv("HOSTILE_FS_UNSEEN_MS");
  return (text == nullptr ? kMilliseconds : std::atoll(text)) * kNanosecondsPerMillisecond;
}

// What was renamed by whom, shared by all processes.
struct Move {
  std::atomic<std::int64_t> time;
  std::atomic<std::uint64_t> process;
  std::atomic<bool> replaced;
};

Move* moves() {
  static Move* const shared = [] {
    const char* const path = std::getenv("HOSTILE_FS_MOVES");
    if (path == nullptr) return static_cast<Move*>(nullptr);
    const auto real = next<int (*)(const char*, int, ...)>("open");
    const int file = real(path, O_RDWR | O_CREAT, 0644);
    if (file < 0 || ftruncate(file, kMoves * sizeof(Move)) != 0) std::abort();
    void* const at =
        mmap(nullptr, kMoves * sizeof(Move), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) std::abort();
    return static_cast<Move*>(at);
  }();
  return shared;
}

const std::uint64_t kThisProcess = random_number();

Move* move_of(const std::string& path) {
  if (path.empty()) return nullptr;
  const std::string full = std::filesystem::absolute(path).lexically_normal().string();
  return moves() == nullptr ? nullptr : &moves()[std::hash<std::string>()(full) % kMoves];
}

bool is_recent(const Move* move) {
  return move != nullptr && move->process != kThisProcess &&
         now() - move->time < unseen_nanoseconds();
}

// Whether another process has just moved the file, or the folder it is in, to a new name.
bool is_unseen(const char* path) {
  if (!is_on("late") || path == nullptr) return false;
  const std::filesystem::path whole(path);
  for (const auto& each : {whole, whole.parent_path()}) {
    const Move* const move = move_of(each.string());
    if (is_recent(move) && !move->replaced) {
      errno = ENOENT;
      return true;
    }
  }
  return false;
}

// Descriptors whose first read is to fail.
std::mutex stale_mutex;
std::set<int>& stale() {
  static std::set<int> descriptors;
  return descriptors;
}

int opened(const char* path, int descriptor) {
  static std::map<std::string, std::int64_t> failed;  // path -> which move
  if (!is_on("stale") || descriptor < 0) return descriptor;
  const Move* const move = move_of(path);
  const std::lock_guard lock(stale_mutex);
  if (is_recent(move) && move->replaced && std::exchange(failed[path], move->time) != move->time) {
    stale().insert(descriptor);
  } else {
    stale().erase(descriptor);
  }
  return descriptor;
}

std::int64_t strange_seconds() {
  constexpr std::int64_t kYear = 365LL * 24 * 3600;
  return static_cast<std::int64_t>(random_number() % (20 * kYear)) - 10 * kYear;
}

template <class Status>
int strange(int result, Status* status) {
  if (result != 0) return result;
  status->st_mtim.tv_sec += strange_seconds();
  status->st_ctim.tv_sec += strange_seconds();
  status->st_atim.tv_sec += strange_seconds();
  return 0;
}

// A folder's entries, read in one go and given out in random order.
std::mutex listings_mutex;
std::map<DIR*, std::vector<dirent64>>& listings() {
  static std::map<DIR*, std::vector<dirent64>> all;
  return all;
}

dirent64* shuffled(DIR* folder) {
  static thread_local dirent64 given;
  const std::lock_guard lock(listings_mutex);
  auto [at, fresh] = listings().try_emplace(folder);
  if (fresh) {
    const auto real = next<dirent64* (*)(DIR*)>("readdir64");
    while (const dirent64* entry = real(folder)) at->second.push_back(*entry);
    for (std::size_t i = at->second.size(); i > 1; --i)
      std::swap(at->second[i - 1], at->second[random_number() % i]);
  }
  if (at->second.empty()) return nullptr;
  given = at->second.back();
  at->second.pop_back();
  return &given;
}

bool is_weak(int descriptor) {
  struct stat64 status {};
  const auto real = next<int (*)(int, struct stat64*)>("fstat64");
  return (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY ||
         (real(descriptor, &status) == 0 && S_ISDIR(status.st_mode));
}

int open_with(const char* name, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) == 0 && is_unseen(path)) return -1;
  return opened(path, next<int (*)(const char*, int, ...)>(name)(path, flags, mode));
}

template <class Status>
int status_with(const char* name, const char* path, Status* status) {
  if (is_unseen(path)) return -1;
  return strange(next<int (*)(const char*, Status*)>(name)(path, status), status);
}

}  // namespace

// The C library's own functions, in place of which these are called.
extern "C" {

dirent64* readdir64(DIR* folder) { return shuffled(folder); }
dirent* readdir(DIR* folder) {
  static_assert(sizeof(dirent) == sizeof(dirent64));
  return reinterpret_cast<dirent*>(shuffled(folder));
}
int closedir(DIR* folder) {
  {
    const std::lock_guard lock(listings_mutex);
    listings().erase(folder);
  }
  return next<int (*)(DIR*)>("closedir")(folder);
}

int stat(const char* path, struct stat* status) noexcept {
  return status_with("stat", path, status);
}
int stat64(const char* path, struct stat64* status) noexcept {
  return status_with("stat64", path, status);
}
int lstat(const char* path, struct stat* status) noexcept {
  return status_with("lstat", path, status);
}
int lstat64(const char* path, struct stat64* status) noexcept {
  return status_with("lstat64", path, status);
}
int fstat(int file, struct stat* status) noexcept {
  return strange(next<int (*)(int, struct stat*)>("fstat")(file, status), status);
}
int fstat64(int file, struct stat64* status) noexcept {
  return strange(next<int (*)(int, struct stat64*)>("fstat64")(file, status), status);
}

int statx(int folder, const char* path, int flags, unsigned mask, struct statx* status) noexcept {
  if (is_unseen(path)) return -1;
  const auto real = next<int (*)(int, const char*, int, unsigned, struct statx*)>("statx");
  const int result = real(folder, path, flags, mask, status);
  if (result == 0) {
    status->stx_mtime.tv_sec += strange_seconds();
    status->stx_ctime.tv_sec += strange_seconds();
  }
  return result;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_with("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_with("open64", path, flags, mode);
}

ssize_t read(int file, void* bytes, size_t size) {
  {
    const std::lock_guard lock(stale_mutex);
    if (stale().erase(file) > 0) {
      errno = ESTALE;
      return -1;
    }
  }
  return next<ssize_t (*)(int, void*, size_t)>("read")(file, bytes, size);
}

int rename(const char* from, const char* to) noexcept {
  const bool replaces = access(to, F_OK) == 0;
  const int result = next<int (*)(const char*, const char*)>("rename")(from, to);
  if (Move* const move = result == 0 ? move_of(to) : nullptr) {
    move->replaced = replaces;
    move->process = kThisProcess;
    move->time = now();
  }
  return result;
}

int flock(int file, int operation) noexcept {
  if (is_on("lock") && (operation & LOCK_UN) == 0 && is_weak(file)) {
    errno = EBADF;
    return -1;
  }
  return next<int (*)(int, int)>("flock")(file, operation);
}

pid_t getpid() noexcept { return static_cast<pid_t>(2 + random_number() % 30'000); }
int gethostname(char* name, size_t size) noexcept {
  std::snprintf(name, size, "host-%04x", static_cast<unsigned>(kThisProcess & 0xffffU));
  return 0;
}
}

#include <tcrops/core/file.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch_all.hpp>
#include <child_process.hpp>
#include <error_of.hpp>
#include <scratch_folder.hpp>
#include <set>
#include <thread>
#include <vector>

namespace tcrops {
namespace {

using test::error_of;
using test::ScratchFolder;

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

TEST_CASE("bytes come back as they were written, also none and more than a block") {
  const ScratchFolder scratch;
  const std::string bytes = std::string("a\0\r\n\xff", 5) + std::string(2500000, 'x');
  for (const std::string& each : {std::string(), bytes, std::string("short")}) {
    write_file(scratch / "f", each);
    CHECK((read_file(scratch / "f") == each));
  }
}

TEST_CASE("a file that cannot be read is named, with the caller's code") {
  const ScratchFolder scratch;
  auto error = error_of([&] { static_cast<void>(read_file(scratch / "none")); });
  CHECK(error.code == ExitCode::kInputData);
  CHECK(error.says((scratch / "none").string() + ": No such file"));
  error = error_of([&] { static_cast<void>(read_file(scratch.path(), ExitCode::kArtifact)); });
  CHECK(error.code == ExitCode::kArtifact);
  CHECK(error.says("Is a directory"));
}

TEST_CASE("writing where there is no folder fails and names the place") {
  const ScratchFolder scratch;
  const auto path = scratch / "none/f";
  for (const auto& error :
       {error_of([&] { write_file(path, "x"); }), error_of([&] { replace_file(path, "x"); }),
        error_of([&] { sync_path(path); }), error_of([&] { const FileLock lock(path); }),
        error_of([&] { static_cast<void>(make_unique_directory(path, "a")); })}) {
    CHECK(error.code == ExitCode::kFailure);
    CHECK(error.says(path.string()));
  }
}

TEST_CASE("a full disk is temporary and leaves no file behind") {
  if (access("/dev/full", W_OK) != 0) return;
  const auto error = error_of([] { write_file("/dev/full", "x"); });
  CHECK(error.code == ExitCode::kTemporary);
  CHECK(error.says("free some space"));
}

TEST_CASE("an atomic file is the old one until it is committed") {
  const ScratchFolder scratch;
  const auto path = scratch / "f";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write(std::string(3000000, 'n'));  // more than is buffered
    CHECK(read_file(path) == "old");
    CHECK(names_in(scratch.path()).size() == 2);
    file.write("end");
    file.commit();
    CHECK((read_file(path) == std::string(3000000, 'n') + "end"));
  }
  CHECK(names_in(scratch.path()) == std::set<std::string>{"f"});
}

TEST_CASE("an atomic file that is not committed leaves nothing") {
  const ScratchFolder scratch;
  write_file(scratch / "f", "old");
  {
    AtomicFile changed(scratch / "f");
    changed.write("new");
    AtomicFile created(scratch / "g");
  }
  CHECK(read_file(scratch / "f") == "old");
  CHECK(names_in(scratch.path()) == std::set<std::string>{"f"});
}

TEST_CASE("a commit that fails removes the temporary file") {
  const ScratchFolder scratch;
  make_directories(scratch / "f/inside");
  const auto error = error_of([&] { replace_file(scratch / "f", "x"); });
  CHECK(error.says((scratch / "f").string()));
  CHECK(names_in(scratch.path()) == std::set<std::string>{"f"});
}

TEST_CASE("writers of one file at once: some writer's whole text stays") {
  const ScratchFolder scratch;
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'i'; ++letter) {
    threads.emplace_back([&scratch, letter] {
      for (int i = 0; i < 5; ++i) replace_file(scratch / "f", std::string(10000, letter));
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string bytes = read_file(scratch / "f");
  CHECK(bytes.size() == 10000);
  CHECK((bytes == std::string(10000, bytes.front())));
  CHECK(names_in(scratch.path()) == std::set<std::string>{"f"});
}

TEST_CASE("folders are made with their parents, or refused") {
  const ScratchFolder scratch;
  make_directories(scratch / "a/b/c");
  make_directories(scratch / "a/b/c");
  CHECK(std::filesystem::is_directory(scratch / "a/b/c"));
  write_file(scratch / "file", "x");
  const auto error = error_of([&] { make_directories(scratch / "file/b"); });
  CHECK(error.code == ExitCode::kFailure);
  CHECK(error.says("cannot create the folder " + (scratch / "file/b").string()));
}

TEST_CASE("timed names do not repeat in any thread, and sort by when they were made") {
  const auto now = [] {
    const auto time = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  };
  const auto before = now();
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& names : made) {
    threads.emplace_back([&names] {
      for (int i = 0; i < 5000; ++i) names.push_back(timed_name());
    });
  }
  for (auto& thread : threads) thread.join();
  const auto after = now();
  std::set<std::string> all;
  for (const auto& names : made) {
    all.insert(names.begin(), names.end());
    std::string last;
    for (const std::string& name : names) {
      REQUIRE(name.size() == 28);
      REQUIRE(name.find_first_not_of("0123456789abcdef") == std::string::npos);
      REQUIRE(name.substr(0, 12) >= last);
      last = name.substr(0, 12);
      const long long time = std::stoll(last, nullptr, 16);
      REQUIRE((time >= before && time <= after));
    }
  }
  CHECK(all.size() == 20'000);
}

TEST_CASE("unique names and folders do not repeat") {
  const ScratchFolder scratch;
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(random_name());
  CHECK(names.size() == 1000);
  for (const std::string& name : names) {
    REQUIRE(name.size() == 16);
    REQUIRE(name.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  const auto one = make_unique_directory(scratch.path(), "x-");
  const auto two = make_unique_directory(scratch.path(), "x-");
  CHECK(one != two);
  CHECK(one.filename().string().starts_with("x-"));
}

TEST_CASE("children of one process do not share names") {
  const ScratchFolder scratch;
  std::vector<test::ChildProcess> children;
  for (int i = 0; i < 4; ++i) {
    children.emplace_back([&] {
      static_cast<void>(make_unique_directory(scratch.path(), ""));
      return 0;
    });
  }
  for (auto& child : children) CHECK(child.wait() == 0);
  CHECK(names_in(scratch.path()).size() == 4);
}

// Each adds one to a number in a file; without the lock additions would be lost.
void count_up(const std::filesystem::path& folder, int times) {
  for (int i = 0; i < times; ++i) {
    const FileLock lock(folder / "lock");
    const int number = std::stoi(read_file(folder / "number"));
    write_file(folder / "number", std::to_string(number + 1));
  }
}

TEST_CASE("a lock keeps out other processes and other threads") {
  const ScratchFolder scratch;
  write_file(scratch / "number", "0");
  std::vector<test::ChildProcess> children;
  for (int i = 0; i < 3; ++i) {
    children.emplace_back([&] {
      count_up(scratch.path(), 40);
      return 0;
    });
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { count_up(scratch.path(), 40); });
  for (auto& thread : threads) thread.join();
  for (auto& child : children) CHECK(child.wait() == 0);
  CHECK(read_file(scratch / "number") == "240");
}

TEST_CASE("a killed process gives up its lock") {
  const ScratchFolder scratch;
  test::ChildProcess child([&] {
    const FileLock lock(scratch / "lock");
    write_file(scratch / "ready", "");
    pause();
    return 0;
  });
  while (!std::filesystem::exists(scratch / "ready")) std::this_thread::yield();
  child.kill_now();
  const FileLock lock(scratch / "lock");
  SUCCEED("the lock was free");
}

}  // namespace
}  // namespace tcrops

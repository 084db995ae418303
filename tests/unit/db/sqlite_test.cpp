// What only SQLite does: files, locks between processes, a full disk.
#include "places.hpp"

#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch_all.hpp>
#include <child_process.hpp>
#include <chrono>
#include <csignal>
#include <error_of.hpp>
#include <fstream>
#include <iostream>
#include <sched.h>
#include <thread>

namespace tcrops::db {
namespace {

using tcrops::test::ChildProcess;
using tcrops::test::error_of;
using test::one;
using test::open_empty;
using test::ScratchFolder;

constexpr int kSkipped = 77;

Address at(const std::filesystem::path& path) { return address("sqlite:" + path.string()); }

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST_CASE("a path is taken as it is") {
  const ScratchFolder scratch;
  for (const char* const name : {"a b  c.db", "q'\"?%41#.db", "a=b.db",
                                 "x y=1 db=other timeout=0.db", "file:a.db", "é.db"}) {
    INFO(name);
    open_empty(at(scratch / name)).execute("insert into item (name) values ('a')");
    CHECK(std::filesystem::exists(scratch / name));
  }
  std::size_t others = 0;
  for (const auto& each : std::filesystem::directory_iterator(scratch.path())) {
    others += each.path().extension() != ".db" ? 1 : 0;
  }
  CHECK(others == 0);
  CHECK(error_of([&] { static_cast<void>(Database::open(at(scratch / "a=\".db"))); }).code ==
        ExitCode::kConfiguration);

  ChildProcess child([&] {
    std::filesystem::current_path(scratch.path());
    for (const char* const url : {"sqlite::memory:", "sqlite:file:b.db", "sqlite:c.db"}) {
      open_empty(address(url));
    }
    return 0;
  });
  CHECK(child.wait() == 0);
  for (const char* const name : {":memory:", "file:b.db", "c.db"}) {
    CHECK(std::filesystem::exists(scratch / name));
  }
}

TEST_CASE("the modes that the header promises") {
  const ScratchFolder scratch;
  Database database = open_empty(at(scratch / "a.db"));
  CHECK(one(database, "pragma journal_mode") == Value("wal"));
  CHECK(one(database, "pragma synchronous") == Value(std::int64_t{1}));
  CHECK(one(database, "pragma foreign_keys") == Value(std::int64_t{1}));
}

TEST_CASE("a file that is no database, or cannot be opened") {
  const ScratchFolder scratch;
  std::ofstream(scratch / "text.db") << std::string(5000, 'x');
  const auto text = error_of([&] { static_cast<void>(Database::open(at(scratch / "text.db"))); });
  CHECK(text.code == ExitCode::kArtifact);
  CHECK(text.says((scratch / "text.db").string()));
  CHECK(text.says("not a database"));
  CHECK(error_of([&] { static_cast<void>(Database::open(at(scratch / "no/a.db"))); }).code ==
        ExitCode::kArtifact);
  CHECK(error_of([&] { static_cast<void>(Database::open(at(scratch.path()))); }).code ==
        ExitCode::kArtifact);
}

TEST_CASE("a file that cannot be written") {
  const ScratchFolder scratch;
  { const Database made = open_empty(at(scratch / "a.db")); }
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(scratch / "a.db", std::filesystem::perms(0444));
  ChildProcess child([&] {
    // Nothing is read-only for root.
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 98;
    Database database = Database::open(at(scratch / "a.db"));
    database.execute("insert into item (name) values ('a')");
    return 0;
  });
  CHECK(child.wait() == static_cast<int>(ExitCode::kArtifact));
}

TEST_CASE("a lock that another holds is waited for, and then temporary") {
  const ScratchFolder scratch;
  Database holder = open_empty(at(scratch / "a.db"));
  Database waiter = Database::open(at(scratch / "a.db"), {.busy_seconds = 0.5});
  holder.transaction([&] {
    holder.execute("insert into item (name) values ('a')");
    CHECK(one(waiter, "select count(*) from item") == Value(std::int64_t{0}));
    const auto begin = std::chrono::steady_clock::now();
    const auto thrown = error_of([&] { waiter.execute("insert into item (name) values ('b')"); });
    CHECK(thrown.code == ExitCode::kTemporary);
    CHECK(thrown.says("locked by another process"));
    CHECK(seconds_since(begin) >= 0.5);
    CHECK(seconds_since(begin) < 20.0);
  });
  std::atomic<bool> holds = false;
  std::thread other([&] {
    holder.transaction([&] {
      holds = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    });
  });
  while (!holds) std::this_thread::yield();
  Database patient = Database::open(at(scratch / "a.db"));
  patient.execute("insert into item (name) values ('c')");
  other.join();
  CHECK(one(patient, "select count(*) from item") == Value(std::int64_t{2}));
}

TEST_CASE("patience goes on after busy_seconds, says so, and may be ended") {
  const ScratchFolder scratch;
  Database holder = open_empty(at(scratch / "a.db"));
  Database waiter =
      Database::open(at(scratch / "a.db"), {.patience_seconds = 0.5, .busy_seconds = 0.0});
  holder.transaction([&] {
    std::vector<std::string> reasons;
    waiter.on_wait = [&](const std::string& reason) { reasons.push_back(reason); };
    const auto begin = std::chrono::steady_clock::now();
    CHECK(error_of([&] { waiter.execute("delete from item"); }).code == ExitCode::kTemporary);
    CHECK(seconds_since(begin) >= 0.5);
    CHECK(seconds_since(begin) < 20.0);
    REQUIRE(reasons.size() >= 2);
    CHECK(reasons.front().find("locked") != std::string::npos);

    waiter.on_wait = [](const std::string&) { throw std::out_of_range("enough"); };
    CHECK_THROWS_AS(waiter.execute("delete from item"), std::out_of_range);
  });
  waiter.execute("delete from item");
}

TEST_CASE("a wait ends with an interrupt") {
  const ScratchFolder scratch;
  Database holder = open_empty(at(scratch / "a.db"));
  const auto interrupted_after = [&](const OpenOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    ChildProcess child([&] {
      install_interrupt_handlers();
      Database waiter = Database::open(at(scratch / "a.db"), options);
      std::thread killer([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        kill(getpid(), SIGINT);
      });
      killer.detach();
      waiter.execute("delete from item");
      return 0;
    });
    CHECK(child.wait() == static_cast<int>(ExitCode::kInterrupted));
    return seconds_since(begin);
  };
  holder.transaction([&] {
    holder.execute("insert into item (name) values ('a')");
    CHECK(interrupted_after({.busy_seconds = 60.0}) < 20.0);
    CHECK(interrupted_after({.patience_seconds = 60.0, .busy_seconds = 0.0}) < 20.0);
  });
}

int add_many(const Address& place, const std::string& name, int times) {
  Database database = Database::open(place);
  for (int i = 0; i < times; ++i) {
    database.transaction([&] {
      database.execute("update item set whole = whole + 1 where name = 'sum'");
      database.execute("update item set whole = whole + 1 where name = :p1", {name});
    });
  }
  return 0;
}

TEST_CASE("several processes at once, one of them killed, leave a whole database") {
  const ScratchFolder scratch;
  const Address place = at(scratch / "a.db");
  Database database = open_empty(place);
  database.execute("insert into item (name, whole) values ('sum', 0), ('doomed', 0)");
  ChildProcess doomed([&] { return add_many(place, "doomed", 1'000'000); });
  std::vector<ChildProcess> children;
  for (int i = 0; i < 3; ++i) {
    const std::string name = std::to_string(i);
    database.execute("insert into item (name, whole) values (:p1, 0)", {name});
    children.emplace_back([&, name] { return add_many(place, name, 200); });
  }
  while (integer(one(database, "select whole from item where name = 'doomed'")) < 20) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  doomed.kill_now();
  for (ChildProcess& child : children) CHECK(child.wait() == 0);
  const auto killed = integer(one(database, "select whole from item where name = 'doomed'"));
  CHECK(integer(one(database, "select whole from item where name = 'sum'")) == 600 + killed);
  CHECK(one(database, "pragma integrity_check") == Value("ok"));
}

TEST_CASE("many processes open a database that is not there yet") {
  const ScratchFolder scratch;
  const Address place = at(scratch / "new.db");
  std::vector<ChildProcess> children;
  for (int i = 0; i < 8; ++i) {
    children.emplace_back([&, i] {
      Database database = Database::open(place);
      database.execute("create table if not exists seen (number bigint)");
      database.execute("insert into seen values (:p1)", {std::int64_t{i}});
      return 0;
    });
  }
  for (ChildProcess& child : children) CHECK(child.wait() == 0);
  Database database = Database::open(place);
  CHECK(one(database, "select count(*) from seen") == Value(std::int64_t{8}));
}

TEST_CASE("a database that may not grow is temporary, and works again after") {
  const ScratchFolder scratch;
  Database database = open_empty(at(scratch / "a.db"));
  const std::int64_t pages = integer(one(database, "pragma max_page_count"));
  database.query("pragma max_page_count = 20");
  const auto thrown = error_of([&] {
    database.execute("insert into item (name) values (:p1)", {std::string(1'000'000, 'x')});
  });
  CHECK(thrown.code == ExitCode::kTemporary);
  CHECK(thrown.says("free some space"));
  database.query("pragma max_page_count = " + std::to_string(pages));
  database.execute("insert into item (name) values (:p1)", {std::string(1'000'000, 'x')});
  CHECK(one(database, "select count(*) from item") == Value(std::int64_t{1}));
}

// Fills a file system of two megabytes; a number of its own for each way to fail.
int fill_disk(const std::filesystem::path& folder) {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return kSkipped;
  if (user != 0) {  // who would own the files there
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=2m") != 0) return kSkipped;
  Database database = open_empty(at(folder / "a.db"));
  std::int64_t kept = 0;
  const auto thrown = error_of([&] {
    for (; kept < 100; ++kept) {
      database.execute("insert into item (name) values (:p1)",
                       {std::to_string(kept) + std::string(100'000, 'x')});
    }
  });
  if (thrown.code != ExitCode::kTemporary || !thrown.says("free some space")) return 2;
  if (kept < 3 || integer(one(database, "select count(*) from item")) != kept) return 3;
  const auto second = error_of([&] { open_empty(at(folder / "b.db")); });
  if (second.code != ExitCode::kTemporary || !second.says("free some space")) return 4;
  return 0;
}

TEST_CASE("a full disk is temporary, with the advice to free space, and loses nothing") {
  const ScratchFolder scratch;
  ChildProcess child([&] { return fill_disk(scratch.path()); });
  const int status = child.wait();
  if (status == kSkipped) {
    const char* const ci = std::getenv("CI");
    CHECK((ci == nullptr || std::string(ci) != "true"));
    std::cout << "SKIPPED: cannot mount a small file system here\n";
    return;
  }
  CHECK(status == 0);
}

}  // namespace
}  // namespace tcrops::db

// Many processes and threads on one store.
#include "fixture.hpp"
#include "together.hpp"

#include <catch_all.hpp>
#include <child_process.hpp>
#include <chrono>
#include <thread>

namespace tcrops::store {
namespace {

using test::ChildProcess;
using test::ScratchFolder;

TEST_CASE("eight processes make one store and publish the same and different things in it") {
  const ScratchFolder scratch;
  const auto root = scratch / "store";
  run_together(8, StartingGun(scratch / "go"), [&](int process) {
    const Store store = Store::open(root);
    for (int i = 0; i < 5; ++i) {
      publish(store, i, {.run = {{"process", process}}});
      publish(store, 100 + 10 * process + i, {.run = {{"process", process}}});
      if (!store.find(key_of(i), Store::Damage::kThrow)) return 1;
      store.set_name("newest", store.find(key_of(i))->id);
    }
    return 0;
  });
  const Store store = Store::open_existing(root);
  CHECK(store.list().size() == 45);
  CHECK(problems_of(store).empty());
  CHECK(entries_in(root / "drafts") == 0);
  CHECK(store.names().size() == 1);
}

TEST_CASE("verify finds nothing wrong while others publish") {
  const Fixture f;
  const StartingGun gun(f.scratch / "go");
  ChildProcess child([&] {
    gun.wait();
    for (int i = 0; i < 60; ++i) f.store.set_name("newest", publish(f.store, i).id);
    return 0;
  });
  gun.fire();
  std::string problems;
  do {
    problems = problems_of(f.store);
  } while (problems.empty() && f.store.list().size() < 60);
  CHECK(problems.empty());
  CHECK(child.wait() == 0);
}

TEST_CASE("processes that mend one damaged artifact at once do not disturb each other") {
  const Fixture f;
  for (int round = 0; round < 5; ++round) {
    const Artifact made = publish(f.store, 1);
    overwrite(made.file("data.bin"), "cut");
    run_together(6, StartingGun(f.scratch / std::to_string(round)), [&](int process) {
      const Artifact mended = publish(f.store, 1, {.run = {{"process", process}}});
      return f.store.read(mended, "data.bin") == "some bytes\n" ? 0 : 1;
    });
    CHECK(problems_of(f.store).empty());
  }
}

TEST_CASE("threads may share a store") {
  const Fixture f;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        publish(f.store, i);
        publish(f.store, 100 + 10 * t + i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(f.store.list().size() == 25);
  CHECK(problems_of(f.store).empty());
  CHECK(entries_in(f.root / "drafts") == 0);
}

void wait_for(const std::filesystem::path& path) {
  while (!std::filesystem::exists(path)) std::this_thread::yield();
}

TEST_CASE("the draft of a killed process is removed by the next one, that of a live one stays") {
  const Fixture f;
  const auto hold_draft = [&](const std::string& name) {
    return ChildProcess([&f, name] {
      const Draft draft = f.store.begin_draft();
      draft.add(name, "half");
      write_file(f.scratch / name, draft.directory().string());
      pause();
      return 0;
    });
  };
  ChildProcess killed = hold_draft("killed");
  ChildProcess live = hold_draft("live");
  wait_for(f.scratch / "killed");
  wait_for(f.scratch / "live");
  killed.kill_now();
  CHECK(entries_in(f.root / "drafts") == 2);
  {
    const Draft draft = f.store.begin_draft();
    const Draft second = f.store.begin_draft();
    CHECK(draft.directory() != second.directory());
    CHECK(entries_in(f.root / "drafts") == 3);
  }
  CHECK_FALSE(std::filesystem::exists(read_file(f.scratch / "killed")));
  CHECK(std::filesystem::exists(std::filesystem::path(read_file(f.scratch / "live")) / "live"));
  live.kill_now();
  static_cast<void>(f.store.begin_draft());
  CHECK(entries_in(f.root / "drafts") == 0);
}

TEST_CASE("a draft that is not published leaves nothing, also after a move") {
  const Fixture f;
  {
    Draft draft = f.store.begin_draft();
    draft.add("a", "b");
    const Draft moved = std::move(draft);
    CHECK(entries_in(f.root / "drafts") == 1);
  }
  CHECK(entries_in(f.root / "drafts") == 0);
}

TEST_CASE("a process killed at any time leaves a store that is well") {
  const Fixture f;
  for (int round = 0; round < 12; ++round) {
    ChildProcess child([&] {
      for (int i = 0;; ++i) publish(f.store, 1000 * round + i);
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 2 * round));
    child.kill_now();
    CHECK(problems_of(f.store).empty());
  }
  publish(f.store, 1);
  CHECK(problems_of(f.store).empty());
  CHECK(entries_in(f.root / "drafts") == 0);
}

TEST_CASE("work may be written while a twin drops it") {
  const Fixture f;
  for (int round = 0; round < 25; ++round) {
    ChildProcess twin([&] {
      for (int i = 0; i < 4; ++i) {
        f.store.work(key_of(1)).drop();
        std::this_thread::sleep_for(std::chrono::microseconds(700));
      }
      return 0;
    });
    for (int i = 0; i < 5; ++i) {
      f.store.work(key_of(1)).write("trial-" + std::to_string(i), std::string(100, 'x'));
    }
    CHECK(twin.wait() == 0);
  }
  f.store.work(key_of(1)).write("last", "x");
  CHECK(read_file(f.store.work(key_of(1)).directory() / "last") == "x");
}

}  // namespace
}  // namespace tcrops::store

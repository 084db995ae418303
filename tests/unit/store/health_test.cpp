#include "fixture.hpp"

#include <tcrops/core/file.hpp>
#include <tcrops/store/health.hpp>

#include <catch_all.hpp>
#include <filesystem>

namespace tcrops::store {
namespace {

constexpr const char* kNow = "2026-11-20T12:00:00Z";

TEST_CASE("clocks that agree, and each way in which they do not") {
  using std::chrono::seconds;
  CHECK(clock_problems(kNow, "", std::nullopt).empty());
  CHECK(clock_problems(kNow, kNow, seconds(5)).empty());
  CHECK(clock_problems(kNow, "2026-11-20T11:59:59Z", seconds(-5)).empty());
  const auto only = [](const std::vector<std::string>& problems) {
    REQUIRE(problems.size() == 1);
    return problems.front();
  };
  const auto says = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(says(only(clock_problems(kNow, "", seconds(6))), "6 s ahead of"));
  CHECK(says(only(clock_problems(kNow, "", seconds(-90))), "90 s behind"));
  CHECK(says(only(clock_problems(kNow, "2026-11-20T12:00:01Z", seconds(0))), "has a line of 2026"));
  CHECK(says(only(clock_problems("1970-01-01T00:00:07Z", "", seconds(0))), "in the past"));
}

TEST_CASE("a folder in order passes the trial and is left as it was") {
  const test::ScratchFolder scratch;
  const std::filesystem::path folder = scratch / "tried";
  make_directories(folder);
  const FolderTrial trial = try_folder(folder);
  CHECK(trial.problems.empty());
  CHECK_FALSE(trial.read_only);
  REQUIRE(trial.clock.has_value());
  CHECK(std::filesystem::is_empty(folder));
  CHECK_FALSE(try_folder(folder / "none").problems.empty());
}

TEST_CASE("what living processes use is not left over") {
  const Fixture fixture;
  static_cast<void>(publish(fixture.store, 1));
  {
    const Draft draft = fixture.store.begin_draft();
    const WorkFolder work = fixture.store.work(key_of(2));
    work.write("part", "half");
    const StoreHealth health = examine_store(Store::open_existing(fixture.root), true);
    CHECK(health.problems.empty());
    CHECK(health.artifacts == 1);
    CHECK(health.leftovers.drafts == 0);
    CHECK(health.leftovers.work == 0);
    CHECK(std::filesystem::exists(draft.directory()));
  }
  make_directories(fixture.root / "drafts" / "dead.one");
  make_directories(fixture.root / "work" / "dead");
  write_file(fixture.root / "keys" / ".a.json.tmp-1", "");
  write_file(fixture.root / ".FORMAT.tmp-1", "");
  const StoreHealth health = examine_store(Store::open_existing(fixture.root), true);
  CHECK(health.leftovers.drafts == 1);
  CHECK(health.leftovers.work == 1);
  CHECK(health.leftovers.hidden == 1);  // in keys/ none are written
}

TEST_CASE("a disk is measured") {
  const test::ScratchFolder scratch;
  const DiskSpace disk = examine_disk(scratch / ".");
  CHECK(disk.bytes > 0);
  CHECK(disk.free_bytes <= disk.bytes);
  CHECK(disk.type != "unknown");
}

}  // namespace
}  // namespace tcrops::store

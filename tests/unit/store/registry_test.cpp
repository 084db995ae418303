#include "fixture.hpp"
#include "hash_log.hpp"
#include "together.hpp"

#include <tcrops/store/registry.hpp>

#include <catch_all.hpp>
#include <set>

namespace tcrops::store {
namespace {

using Aliases = std::map<std::string, std::int64_t>;

// Three versions of one model.
struct Registered : Fixture {
  Registry registry{store};
  std::vector<std::string> ids;
  Registered() {
    for (std::int64_t seed = 1; seed <= 3; ++seed) {
      ids.push_back(publish(store, seed).id);
      registry.add("viral", ids.back(), "made up", Registry::Candidate::kNo, {});
    }
  }
  [[nodiscard]] std::filesystem::path log() const { return root / "models" / "viral.jsonl"; }
};

TEST_CASE("versions are numbered in order, and an artifact has one only") {
  const Registered f;
  CHECK(f.registry.names() == std::vector<std::string>{"viral"});
  const std::string before = read_file(f.log());
  const ModelVersion again =
      f.registry.add("viral", f.ids[1], "something else", Registry::Candidate::kNo, {});
  CHECK(again.number == 2);
  CHECK(again.source == "made up");
  CHECK(read_file(f.log()) == before);
  const RegisteredModel model = f.registry.read("viral");
  REQUIRE(model.versions.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(model.versions[i].number == static_cast<std::int64_t>(i) + 1);
    CHECK(model.versions[i].artifact == f.ids[i]);
  }
  CHECK(model.aliases.empty());
  CHECK(model.find(4) == nullptr);
  CHECK(model.find_artifact("nothing") == nullptr);
  CHECK(problems_of(f.store).empty());
}

TEST_CASE("aliases move with promotions and back with rollbacks") {
  const Registered f;
  CHECK(f.registry.promote("viral", 1, {}).aliases == Aliases{{"champion", 1}});
  CHECK(f.registry.promote("viral", 2, {}).aliases == Aliases{{"champion", 2}, {"previous", 1}});
  CHECK(f.registry.promote("viral", 1, {}).aliases == Aliases{{"champion", 1}, {"previous", 2}});
  CHECK(f.registry.rollback("viral", {}).aliases == Aliases{{"champion", 2}, {"previous", 1}});
  CHECK(f.registry.rollback("viral", {}).aliases == Aliases{{"champion", 1}});
  CHECK(test::error_of([&] { f.registry.rollback("viral", {}); }).code == ExitCode::kArtifact);
  CHECK(test::error_of([&] { f.registry.promote("viral", 1, {}); }).code == ExitCode::kUsage);
  CHECK(test::error_of([&] { f.registry.promote("viral", 4, {}); }).code == ExitCode::kArtifact);
  CHECK(f.registry.read("viral").events.size() == 8);
}

TEST_CASE("the candidate is the newest that asks, and is none once it is champion") {
  const Registered f;
  f.registry.add("viral", f.ids[0], "", Registry::Candidate::kYes, {});
  f.registry.add("viral", f.ids[2], "", Registry::Candidate::kYes, {});
  CHECK(f.registry.read("viral").aliases == Aliases{{"candidate", 3}});
  CHECK(f.registry.promote("viral", 3, {}).aliases == Aliases{{"champion", 3}});
  f.registry.add("viral", f.ids[2], "", Registry::Candidate::kYes, {});
  CHECK(f.registry.read("viral").aliases == Aliases{{"champion", 3}});
}

TEST_CASE("a check sees the model as it is at the move, and may prevent it") {
  const Registered f;
  f.registry.promote("viral", 1, {});
  const auto refuse = [](const RegisteredModel& before) {
    if (before.aliases.at("champion") == 1)
      throw Error(ExitCode::kTemporary, "judged too long ago");
  };
  CHECK(test::error_of([&] { f.registry.promote("viral", 2, {}, refuse); }).code ==
        ExitCode::kTemporary);
  CHECK(f.registry.read("viral").aliases.at("champion") == 1);
  f.registry.promote("viral", 3, {});
  CHECK(f.registry.promote("viral", 2, {}, refuse).champions == std::vector<std::int64_t>{1, 3, 2});
  CHECK(test::error_of([&] {
          f.registry.rollback("viral", {},
                              [](const auto&) { throw Error(ExitCode::kArtifact, "damaged"); });
        }).code == ExitCode::kArtifact);
  CHECK(f.registry.read("viral").aliases.at("champion") == 2);
}

TEST_CASE("references") {
  const Registered f;
  f.registry.promote("viral", 2, {});
  CHECK(f.registry.resolve("viral").number == 2);
  CHECK(f.registry.resolve("viral@champion").number == 2);
  CHECK(f.registry.resolve("viral@v3").artifact == f.ids[2]);
  CHECK(f.store.get("viral@v1").id == f.ids[0]);
  for (const char* wrong :
       {"viral@", "viral@v0", "viral@v4", "viral@v", "viral@2", "viral@v99999999999999999999",
        "viral@previous", "nothing@v1", "@v1", "viral@v1@v2"}) {
    CAPTURE(wrong);
    CHECK(test::error_of([&] { static_cast<void>(f.registry.resolve(wrong)); }).code ==
          ExitCode::kArtifact);
  }
}

TEST_CASE("a log that was changed is noticed and not continued") {
  const Registered f;
  f.registry.promote("viral", 1, {});
  const std::string good = read_file(f.log());
  const std::size_t last = good.rfind('\n', good.size() - 2) + 1;
  SECTION("byte in the first line") { flip_byte(f.log(), 20); }
  SECTION("byte in the last line") { flip_byte(f.log(), good.size() - 10); }
  SECTION("last line cut off") { overwrite(f.log(), good.substr(0, last)); }
  SECTION("first line cut off") { overwrite(f.log(), good.substr(good.find('\n') + 1)); }
  SECTION("empty") { overwrite(f.log(), ""); }
  SECTION("deleted") { std::filesystem::remove(f.log()); }
  CHECK(f.registry.names() == std::vector<std::string>{"viral"});
  CHECK_FALSE(f.registry.read("viral").problems.empty());
  CHECK(problems_of(f.store).find("models/viral.jsonl") != std::string::npos);
  const std::string before = std::filesystem::exists(f.log()) ? read_file(f.log()) : "gone";
  const auto refused = [&](auto move) { CHECK(test::error_of(move).code == ExitCode::kArtifact); };
  refused([&] { f.registry.promote("viral", 2, {}); });
  refused([&] { f.registry.rollback("viral", {}); });
  refused(
      [&] { f.registry.add("viral", publish(f.store, 9).id, "", Registry::Candidate::kYes, {}); });
  refused([&] { static_cast<void>(f.registry.resolve("viral@v1")); });
  CHECK((std::filesystem::exists(f.log()) ? read_file(f.log()) : "gone") == before);
}

TEST_CASE("a line that was not noted, as a kill leaves it, is no problem") {
  const Registered f;
  static_cast<void>(HashLog(f.log(), f.root / "models" / "viral.lock")
                        .append({{"event", "promote"}, {"version", 1}}));
  CHECK(f.registry.read("viral").aliases == Aliases{{"champion", 1}});
  CHECK(problems_of(f.store).empty());
  write_file(f.log(), read_file(f.log()) + "{\"event\":\"prom");
  CHECK(f.registry.promote("viral", 2, {}).aliases == Aliases{{"champion", 2}, {"previous", 1}});
  CHECK(problems_of(f.store).empty());
}

TEST_CASE("eight processes register and promote at once") {
  const Fixture f;
  constexpr int kProcesses = 8;
  constexpr int kEach = 4;
  run_together(kProcesses, StartingGun(f.scratch / "go"), [&](int process) {
    const Store store = Store::open(f.root);
    const Registry registry(store);
    for (int i = 0; i < kEach; ++i) {
      registry.add("viral", publish(store, i).id, "shared", Registry::Candidate::kNo, {});
      const auto own = registry.add("viral", publish(store, 100 + 10 * process + i).id, "own",
                                    Registry::Candidate::kYes, {});
      registry.promote("viral", own.number, {});
    }
    return 0;
  });
  const RegisteredModel model = Registry(f.store).read("viral");
  CHECK(model.problems.empty());
  CHECK(model.versions.size() == kEach + kProcesses * kEach);
  std::set<std::string> artifacts;
  for (std::size_t i = 0; i < model.versions.size(); ++i) {
    CHECK(model.versions[i].number == static_cast<std::int64_t>(i) + 1);
    artifacts.insert(model.versions[i].artifact);
  }
  CHECK(artifacts.size() == model.versions.size());
  CHECK(model.aliases.contains("champion"));
  CHECK(model.aliases.contains("previous"));
  CHECK(std::count_if(model.events.begin(), model.events.end(), [](const RegistryEvent& event) {
          return event.event == "promote";
        }) == kProcesses * kEach);
  CHECK(problems_of(f.store).empty());
}

}  // namespace
}  // namespace tcrops::store

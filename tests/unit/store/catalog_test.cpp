#include "fixture.hpp"

#include <catch_all.hpp>

namespace tcrops::store {
namespace {

std::vector<std::string> ids_in(const Store& store) {
  std::vector<std::string> ids;
  for (const CatalogEntry& entry : store.catalog()) ids.push_back(entry.id);
  return ids;
}

TEST_CASE("the catalog says what there is in order of publication") {
  const Fixture f;
  CHECK(f.store.catalog().empty());
  std::vector<std::string> ids;
  for (std::int64_t seed = 5; seed > 0; --seed) ids.push_back(publish(f.store, seed).id);
  ids.push_back(publish(f.store, 9, {.parents = {{"raw", ids.front()}}}).id);
  CHECK(ids_in(f.store) == ids);
  const CatalogEntry entry = f.store.catalog().back();
  CHECK(entry.kind == "raw");
  CHECK(entry.stage == "fetch");
  CHECK(entry.bytes == std::string("some bytes\n").size());
  CHECK(entry.parents == std::map<std::string, std::string>{{"raw", ids.front()}});
  CHECK(entry.key == key_of(9).digest());
  CHECK(entry.time.size() == std::string("2026-01-31T12:00:00Z").size());
  publish(f.store, 3);
  CHECK(ids_in(f.store) == ids);
}

TEST_CASE("what was removed and made again counts from then") {
  const Fixture f;
  const Artifact first = publish(f.store, 1);
  const Artifact second = publish(f.store, 2);
  std::filesystem::remove_all(first.directory);
  CHECK(ids_in(f.store) == std::vector<std::string>{second.id});
  publish(f.store, 1);
  CHECK(ids_in(f.store) == std::vector<std::string>{second.id, first.id});
}

TEST_CASE("without a log the manifests say, and what is damaged has no kind") {
  const Fixture f;
  const Artifact whole = publish(f.store, 1);
  const Artifact damaged = publish(f.store, 2);
  overwrite(damaged.file("manifest.json"), "{}");
  overwrite(f.root / "log.jsonl", "");
  std::map<std::string, CatalogEntry> entries;
  for (const CatalogEntry& entry : f.store.catalog()) entries[entry.id] = entry;
  REQUIRE(entries.size() == 2);
  CHECK(entries[whole.id].kind == "raw");
  CHECK(entries[whole.id].bytes == std::string("some bytes\n").size());
  CHECK(entries[whole.id].time.empty());
  CHECK(entries[damaged.id].kind.empty());
  overwrite(f.root / "log.jsonl", "not JSON\n[]\n{\"event\":\"publish\"}\n");
  CHECK(f.store.catalog().size() == 2);
}

}  // namespace
}  // namespace tcrops::store

#include "fixture.hpp"
#include "hash_log.hpp"

#include <tcrops/store/archive.hpp>

#include <algorithm>
#include <catch_all.hpp>

namespace tcrops::store {
namespace {

struct Exported {
  std::string bytes;
  ExportResult result;
};

Exported exported(const Store& store, const ExportOptions& options) {
  Exported done;
  done.result = write_archive(store, options, [&](std::string_view bytes) { done.bytes += bytes; });
  return done;
}

// The key that an artifact's manifest repeats.
ReuseKey repeated_key(const Artifact& artifact) {
  const Manifest& m = artifact.manifest;
  return {m.stage, m.stage_version, m.configuration, m.parents, m.seed, m.backend_class};
}

// Published as a stage does it: under the key that its manifest repeats.
Artifact made(const Store& store, std::int64_t seed, const Content& content = {}) {
  Draft draft = store.begin_draft();
  draft.add("data.bin", content.bytes);
  Manifest manifest;
  manifest.stage = "fetch";
  manifest.configuration = key_of(seed).configuration;
  manifest.seed = seed;
  manifest.parents = content.parents;
  ReuseKey key = key_of(seed);
  key.parents = content.parents;
  return store.publish(std::move(draft), manifest, content.run, key);
}

// A parent, two children of it and a grandchild of one.
struct Family : Fixture {
  Artifact parent = made(store, 1);
  Artifact child = made(store, 2, {.parents = {{"raw", parent.id}}});
  Artifact other = made(store, 3, {.parents = {{"raw", parent.id}}});
  Artifact grandchild =
      made(store, 4, {.bytes = std::string(3'000'000, 'x'), .parents = {{"dataset", child.id}}});

  [[nodiscard]] std::filesystem::path save(const std::string& bytes) const {
    auto path = scratch / "archive.tar";
    write_file(path, bytes);
    return path;
  }
};

std::vector<std::string> ids_of(const std::vector<ArchivedArtifact>& artifacts) {
  std::vector<std::string> ids;
  for (const auto& artifact : artifacts) ids.push_back(artifact.id);
  return ids;
}

}  // namespace

TEST_CASE("artifacts travel with their ancestors, run records and keys") {
  const Family f;
  const auto packing = GENERATE(Packing::kNone, Packing::kGzip, Packing::kZstd);
  const Exported archive = exported(f.store, {.references = {f.grandchild.id}, .packing = packing});
  CHECK(ids_of(archive.result.artifacts) ==
        std::vector<std::string>{f.parent.id, f.child.id, f.grandchild.id});
  CHECK(archive.result.bytes == archive.bytes.size());

  const Store target = Store::open(f.scratch / "target");
  ArchiveReader reader(f.save(archive.bytes));
  CHECK(reader.roots().at(0).id == f.grandchild.id);
  const ImportResult result = reader.import_into(target, {});
  CHECK(result.added.size() == 3);
  CHECK(result.present.empty());
  CHECK(problems_of(target).empty());
  CHECK(target.find(repeated_key(f.grandchild))->id == f.grandchild.id);
  CHECK_FALSE(target.find(repeated_key(f.other)));
  CHECK(target.keys_of(f.child.id).at(0).digest() == repeated_key(f.child).digest());
  CHECK(read_file(target.get(f.child.id).file("run.json")) == read_file(f.child.file("run.json")));
  CHECK(entries_in(target.root() / "drafts") == 0);

  const Exported again = exported(target, {.references = {f.grandchild.id}, .packing = packing});
  CHECK(again.bytes == archive.bytes);
  CHECK(again.result.sha256 == archive.result.sha256);

  ArchiveReader second(f.save(archive.bytes));
  CHECK(second.import_into(target, {}).present.size() == 3);
  CHECK(problems_of(target).empty());
}

TEST_CASE("the order of references does not show") {
  const Family f;
  const auto a = exported(f.store, {.references = {f.other.id, f.child.id}});
  const auto b = exported(f.store, {.references = {f.child.id, f.other.id, f.child.id}});
  CHECK(a.bytes == b.bytes);
}

TEST_CASE("without ancestors, who lacks them says so") {
  const Family f;
  // Given in the wrong order: the archive has the parent first all the same.
  const Exported archive =
      exported(f.store, {.references = {f.grandchild.id, f.child.id}, .ancestors = false});
  CHECK(ids_of(archive.result.artifacts) == std::vector<std::string>{f.child.id, f.grandchild.id});
  const Store target = Store::open(f.scratch / "target");
  ArchiveReader reader(f.save(archive.bytes));
  const auto thrown = test::error_of([&] { reader.import_into(target, {}); });
  CHECK(thrown.code == ExitCode::kArtifact);
  CHECK(thrown.says(f.parent.short_id()));
  CHECK(target.list().empty());

  ArchiveReader willing(f.save(archive.bytes));
  CHECK(willing.import_into(target, {.allow_missing_ancestors = true}).added.size() == 2);
  CHECK(problems_of(target).find("its raw") != std::string::npos);

  // A store that has the ancestor takes it as it is.
  const Store second = Store::open(f.scratch / "second");
  ArchiveReader base(f.save(exported(f.store, {.references = {f.parent.id}}).bytes));
  base.import_into(second, {});
  ArchiveReader delta(f.save(archive.bytes));
  CHECK(delta.import_into(second, {}).added.size() == 2);
  CHECK(problems_of(second).empty());
}

TEST_CASE("a damaged artifact is not exported") {
  const Family f;
  const ExportOptions options{.references = {f.grandchild.id}};
  SECTION("file") { flip_byte(f.parent.file("data.bin")); }
  SECTION("manifest") { flip_byte(f.child.file("manifest.json"), 5); }
  SECTION("run record") { flip_byte(f.child.file("run.json"), 5); }
  SECTION("missing") { std::filesystem::remove_all(f.parent.directory); }
  const auto thrown = test::error_of([&] { exported(f.store, options); });
  CHECK(thrown.code == ExitCode::kArtifact);
}

TEST_CASE("what cannot be written ends the export with its reason") {
  const Family f;
  const auto thrown = test::error_of([&] {
    write_archive(f.store, {.references = {f.grandchild.id}},
                  [](std::string_view) { throw Error(ExitCode::kTemporary, "the disk is full"); });
  });
  CHECK(thrown.code == ExitCode::kTemporary);
  CHECK(thrown.says("the disk is full"));
}

TEST_CASE("every flipped byte of an archive is noticed or means nothing") {
  const Fixture f;
  const Artifact artifact = publish(f.store, 1);
  const std::string bytes = exported(f.store, {.references = {artifact.id}}).bytes;
  const auto path = f.scratch / "archive.tar";
  int refused = 0;
  constexpr std::size_t kStep = 53;  // each import waits for the disk
  for (std::size_t at = 0; at < bytes.size(); at += kStep) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(path, damaged);
    const auto root = f.scratch / "target";
    std::filesystem::remove_all(root);
    const Store target = Store::open(root);
    const auto thrown = test::error_of([&] { ArchiveReader(path).import_into(target, {}); });
    CHECK(problems_of(target).empty());
    if (thrown.code == ExitCode::kOk) {
      // Padding: what was taken is what was published.
      CHECK(target.read(target.get(artifact.id), "data.bin") == "some bytes\n");
      CHECK(read_file(target.get(artifact.id).file("run.json")) ==
            read_file(artifact.file("run.json")));
    } else {
      CHECK((thrown.code == ExitCode::kArtifact || thrown.code == ExitCode::kInputData));
      ++refused;
    }
  }
  CHECK(refused > 10);
}

TEST_CASE("a store keeps its own answer to a key") {
  const Family f;
  const Store target = Store::open(f.scratch / "target");
  const Artifact own = publish(target, 1, {.bytes = "made here\n"});
  ArchiveReader reader(f.save(exported(f.store, {.references = {f.parent.id}}).bytes));
  reader.import_into(target, {});
  CHECK(target.list().size() == 2);
  CHECK(target.find(key_of(1))->id == own.id);
  CHECK(problems_of(target).empty());
}

TEST_CASE("all keys of an artifact are known") {
  const Fixture f;
  const Artifact artifact = publish(f.store, 1);
  Draft draft = f.store.begin_draft();
  draft.add("data.bin", "some bytes\n");
  f.store.publish(std::move(draft), artifact.manifest, {}, key_of(5));
  std::vector<std::string> expected = {key_of(1).digest(), key_of(5).digest()};
  std::sort(expected.begin(), expected.end());
  std::vector<std::string> found;
  for (const ReuseKey& key : f.store.keys_of(artifact.id)) found.push_back(key.digest());
  CHECK(found == expected);
  // Said once, however often it is published.
  const std::size_t lines = store_log(f.root).read().entries.size();
  publish(f.store, 1);
  CHECK(store_log(f.root).read().entries.size() == lines);
  overwrite(key_file(f.store, key_of(5)), "{}");
  CHECK(f.store.keys_of(artifact.id).size() == 1);
  CHECK(f.store.keys_of(std::string(64, 'a')).empty());
}

TEST_CASE("an import mends a damaged artifact") {
  const Family f;
  const std::string bytes = exported(f.store, {.references = {f.child.id}}).bytes;
  flip_byte(f.parent.file("data.bin"));
  ArchiveReader(f.save(bytes)).import_into(f.store, {});
  CHECK(problems_of(f.store).empty());
}

}  // namespace tcrops::store

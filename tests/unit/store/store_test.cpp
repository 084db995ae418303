#include "fixture.hpp"

#include <tcrops/core/sha256.hpp>

#include <sys/stat.h>

#include <catch_all.hpp>

namespace tcrops::store {
namespace {

using test::error_of;
using test::ScratchFolder;

TEST_CASE("a store is made, and opened again") {
  const ScratchFolder scratch;
  static_cast<void>(Store::open(scratch / "a/b"));
  CHECK(read_file(scratch / "a/b/FORMAT") == "tcrops-store 1\n");
  CHECK(Store::open(scratch / "a/b").list().empty());
  CHECK(Store::open_existing(scratch / "a/b").root() == scratch / "a/b");
  const ScratchFolder empty;
  CHECK(Store::open(empty.path()).names().empty());
}

TEST_CASE("a store that was cut off while it was made is finished") {
  const ScratchFolder scratch;
  make_directories(scratch / "artifacts");
  write_file(scratch / ".FORMAT.tmp-0", "tcr");
  CHECK(Store::open(scratch.path()).list().empty());
}

TEST_CASE("a folder with other things in it is left alone") {
  const ScratchFolder scratch;
  write_file(scratch / "thesis.txt", "x");
  const auto error = error_of([&] { static_cast<void>(Store::open(scratch.path())); });
  CHECK(error.code == ExitCode::kArtifact);
  CHECK(error.says("thesis.txt"));
  CHECK(error.says("--store"));
  CHECK(entries_in(scratch.path()) == 1);
}

TEST_CASE("another or a newer format is refused") {
  for (const std::string format : {"tcrops-store 2\n", "something\n", ""}) {
    const Fixture f;
    write_file(f.root / "FORMAT", format);
    for (const auto& error : {error_of([&] { static_cast<void>(Store::open(f.root)); }),
                              error_of([&] { static_cast<void>(Store::open_existing(f.root)); })}) {
      CHECK(error.code == ExitCode::kArtifact);
      CHECK(error.says("is not \"tcrops-store 1\""));
    }
  }
}

TEST_CASE("a place that cannot hold a store is refused") {
  const ScratchFolder scratch;
  write_file(scratch / "file", "x");
  CHECK(error_of([&] { static_cast<void>(Store::open(scratch / "file")); }).code ==
        ExitCode::kFailure);
  const auto error = error_of([&] { static_cast<void>(Store::open_existing(scratch / "none")); });
  CHECK(error.code == ExitCode::kArtifact);
  CHECK(error.says("there is no store here"));
  CHECK_FALSE(std::filesystem::exists(scratch / "none"));
}

TEST_CASE("what is published can be found, got, read and listed") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  const auto found = f.store.find(key_of(1));
  REQUIRE(found);
  CHECK(found->id == made.id);
  CHECK(f.store.get(made.id).manifest.facts == Json{{"rows", 3}});
  CHECK(f.store.read(made, "data.bin") == "some bytes\n");
  CHECK(f.store.list() == std::vector<std::string>{made.id});
  CHECK(made.manifest.files.at("data.bin").at("bytes") == 11);
  CHECK(made.manifest.files.size() == 1);
  CHECK(read_file(made.file("run.json")) == "{\n \"host\": \"one\"\n}\n");
  CHECK_FALSE(f.store.find(key_of(2)));
  CHECK(entries_in(f.root / "drafts") == 0);
  CHECK(problems_of(f.store).empty());
}

TEST_CASE("an id is the hash of the manifest, and files are read-only") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  CHECK(sha256_file(made.file("manifest.json")) == made.id);
  CHECK(read_file(made.file("manifest.json")) == canonical_json(to_json(made.manifest)));
  for (const char* name : {"data.bin", "manifest.json", "run.json"}) {
    struct stat status {};
    REQUIRE(stat(made.file(name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0444U);
  }
}

TEST_CASE("equal content has one id, and the first run record is kept") {
  const Fixture f;
  const Artifact first = publish(f.store, 1);
  Content again;
  again.run = {{"host", "two"}};
  CHECK(publish(f.store, 1, again).id == first.id);
  CHECK(f.store.list().size() == 1);
  CHECK(read_file(first.file("run.json")).find("one") != std::string::npos);
  CHECK(entries_in(f.root / "drafts") == 0);
  CHECK(problems_of(f.store).empty());
  Content other;
  other.bytes = "other bytes";
  CHECK(publish(f.store, 1, other).id != first.id);
  CHECK(publish(f.store, 2).id != first.id);
}

TEST_CASE("an artifact of another key may be adopted") {
  const Fixture f;
  const Artifact first = publish(f.store, 1);
  Draft draft = f.store.begin_draft();
  draft.add("data.bin", "some bytes\n");
  Manifest manifest = first.manifest;
  manifest.files = Json::object();
  CHECK(f.store.publish(std::move(draft), manifest, {}, key_of(5)).id == first.id);
  CHECK(f.store.find(key_of(5))->id == first.id);
  CHECK(f.store.find(key_of(1))->id == first.id);
}

TEST_CASE("every part of a key counts") {
  std::vector<ReuseKey> keys(7, key_of(1));
  keys[1].stage = "train";
  keys[2].stage_version = 2;
  keys[3].configuration["source"] = "other";
  keys[4].parents["dataset"] = "x";
  keys[5].seed = 2;
  keys[6].backend_class = "cpu";
  std::map<std::string, int> digests;
  for (const ReuseKey& key : keys) ++digests[key.digest()];
  CHECK(digests.size() == 7);
  CHECK(keys[0].digest() == key_of(1).digest());
}

TEST_CASE("manifests and kinds read back, and refuse what they do not know") {
  Manifest manifest;
  manifest.kind = Kind::kModel;
  manifest.parents = {{"study", "x"}};
  manifest.seed = -3;
  const Json json = to_json(manifest);
  CHECK(to_json(manifest_from_json(json, "m")) == json);
  for (const Kind kind : {Kind::kRaw, Kind::kDataset, Kind::kStudy, Kind::kModel, Kind::kEvaluation,
                          Kind::kCheck, Kind::kPredictions}) {
    CHECK(kind_from_name(kind_name(kind)) == kind);
  }
  CHECK_THROWS_AS(kind_from_name("moddel"), Error);
  const auto refused = [&](const std::string& key, const Json& value) {
    Json changed = json;
    changed[key] = value;
    return error_of([&] { static_cast<void>(manifest_from_json(changed, "m.json")); });
  };
  CHECK(refused("format", "tcrops.manifest/2").says("m.json: format tcrops.manifest/2"));
  CHECK(refused("kind", "new").code == ExitCode::kArtifact);
  CHECK(refused("seed", "1").says("m.json: not a manifest"));
  CHECK(refused("files", {{"a", 1}}).says("m.json: not a manifest"));
  CHECK(refused("files", {{"a", {{"bytes", 1}}}}).code == ExitCode::kArtifact);
  CHECK(error_of([] { static_cast<void>(manifest_from_json(Json::array(), "m")); }).code ==
        ExitCode::kArtifact);
}

TEST_CASE("an artifact is got by the beginning of its id or by name") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  f.store.set_name("viral.model", made.id);
  CHECK(f.store.get(made.short_id()).id == made.id);
  CHECK(f.store.get(made.id.substr(0, 6)).id == made.id);
  CHECK(f.store.get("viral.model").id == made.id);
  CHECK(f.store.names() == std::map<std::string, std::string>{{"viral.model", made.id}});
  const Artifact other = publish(f.store, 2);
  f.store.set_name("viral.model", other.id);
  CHECK(f.store.get("viral.model").id == other.id);
}

TEST_CASE("an unknown or doubtful reference is refused with what there is") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  f.store.set_name("viral.model", made.id);
  const auto get = [&](const std::string& reference) {
    return error_of([&] { static_cast<void>(f.store.get(reference)); });
  };
  CHECK(get("viral.modle").says("did you mean \"viral.model\"?"));
  CHECK(get("viral.modle").code == ExitCode::kArtifact);
  CHECK(get(made.id.substr(0, 5)).says("no artifact"));
  CHECK(get("").says("no artifact"));
  CHECK(get("../../etc").says("no artifact"));
  make_directories(made.directory.parent_path() / (made.id.substr(0, 12) + std::string(52, '0')));
  CHECK(get(made.short_id()).says("begins 2 ids; give more digits"));
  CHECK(f.store.get(made.id).id == made.id);
  f.store.set_name("gone", std::string(64, 'a'));
  CHECK(get("gone").code == ExitCode::kArtifact);
}

TEST_CASE("a stray file among the artifacts does no harm") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  write_file(f.root / "artifacts" / "notes.txt", "x");
  CHECK(f.store.get(made.short_id()).id == made.id);
}

TEST_CASE("read notices a flipped byte and a file that is not the artifact's") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  flip_byte(made.file("data.bin"), 4);
  const auto error = error_of([&] { static_cast<void>(f.store.read(made, "data.bin")); });
  CHECK(error.code == ExitCode::kArtifact);
  CHECK(error.says(made.file("data.bin").string()));
  CHECK(error.says("SHA-256 differs"));
  CHECK(error_of([&] { static_cast<void>(f.store.read(made, "none")); }).says("no such file"));
  CHECK(error_of([&] { static_cast<void>(f.store.read(made, "run.json")); }).says("no such file"));
}

TEST_CASE("a damaged artifact counts as absent, or is reported") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  SECTION("file cut off") { overwrite(made.file("data.bin"), "some"); }
  SECTION("file gone") { std::filesystem::remove(made.file("data.bin")); }
  SECTION("manifest changed") { flip_byte(made.file("manifest.json"), 20); }
  SECTION("manifest gone") { std::filesystem::remove(made.file("manifest.json")); }
  SECTION("artifact gone") { std::filesystem::remove_all(made.directory); }
  SECTION("key cut off") { overwrite(key_file(f.store, key_of(1)), "{"); }
  SECTION("key of another form") { overwrite(key_file(f.store, key_of(1)), "[1]"); }
  SECTION("key without its id") { overwrite(key_file(f.store, key_of(1)), "{\"artifact\": 3}"); }
  CHECK_FALSE(f.store.find(key_of(1)));
  const auto error =
      error_of([&] { static_cast<void>(f.store.find(key_of(1), Store::Damage::kThrow)); });
  CHECK(error.code == ExitCode::kArtifact);
  CHECK(error.says(f.root.string()));
  // Publishing again mends it.
  CHECK(publish(f.store, 1).id == made.id);
  CHECK(f.store.find(key_of(1), Store::Damage::kThrow)->id == made.id);
  CHECK(f.store.read(made, "data.bin") == "some bytes\n");
  CHECK(problems_of(f.store).empty());
  static_cast<void>(f.store.begin_draft());
  CHECK(entries_in(f.root / "drafts") == 0);
}

TEST_CASE("publishing again mends a byte that changed without the size") {
  const Fixture f;
  const Artifact made = publish(f.store, 1);
  flip_byte(made.file("data.bin"));
  CHECK(f.store.find(key_of(1)));  // seen on the surface only
  CHECK(error_of([&] { static_cast<void>(f.store.read(made, "data.bin")); }).code ==
        ExitCode::kArtifact);
  CHECK(publish(f.store, 1).id == made.id);
  CHECK(f.store.read(made, "data.bin") == "some bytes\n");
  CHECK(problems_of(f.store).empty());
}

TEST_CASE("work is kept until it is dropped") {
  const Fixture f;
  f.store.work(key_of(1)).write("trial-1", "a");
  f.store.work(key_of(1)).write("trial-1", "b");
  CHECK(read_file(f.store.work(key_of(1)).directory() / "trial-1") == "b");
  CHECK(entries_in(f.store.work(key_of(2)).directory()) == 0);
  f.store.work(key_of(1)).drop();
  CHECK(entries_in(f.store.work(key_of(1)).directory()) == 0);
  f.store.work(key_of(3)).drop();
}

TEST_CASE("work that cannot be written is reported") {
  const Fixture f;
  make_directories(f.store.work(key_of(1)).directory() / "name/inside");
  CHECK(error_of([&] { f.store.work(key_of(1)).write("name", "x"); }).code == ExitCode::kFailure);
  CHECK(entries_in(f.store.work(key_of(1)).directory()) == 1);
}

}  // namespace
}  // namespace tcrops::store

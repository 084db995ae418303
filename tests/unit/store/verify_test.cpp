#include "fixture.hpp"
#include "hash_log.hpp"

#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>

#include <catch_all.hpp>

namespace tcrops::store {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Two artifacts, one made from the other, and a name.
struct Family : Fixture {
  Artifact parent = publish(store, 1);
  Artifact child = publish(store, 2, {.bytes = "child", .parents = {{"raw", parent.id}}});
  Family() { store.set_name("child", child.id); }
};

TEST_CASE("a whole store has no problems, and progress counts every artifact") {
  const Family f;
  std::vector<std::size_t> counts;
  CHECK(f.store
            .verify([&](std::size_t done, std::size_t total) {
              CHECK(total == 2);
              counts.push_back(done);
            })
            .empty());
  CHECK(counts == std::vector<std::size_t>{1, 2});
  const Fixture empty;
  CHECK(problems_of(empty.store).empty());
}

TEST_CASE("damage to an artifact is found, under its id") {
  const Family f;
  std::string expected;
  SECTION("flipped byte in a file") {
    flip_byte(f.child.file("data.bin"), 2);
    expected = "data.bin: SHA-256 differs from the manifest\n";
  }
  SECTION("file of another size") {
    overwrite(f.child.file("data.bin"), "longer than before");
    expected = "data.bin: missing or of another size";
  }
  SECTION("missing file") {
    std::filesystem::remove(f.child.file("data.bin"));
    expected = "data.bin: missing or of another size";
  }
  SECTION("flipped byte in the manifest") {
    flip_byte(f.child.file("manifest.json"), 30);
    expected = "the manifest was changed after it was published";
  }
  SECTION("missing manifest") {
    std::filesystem::remove(f.child.file("manifest.json"));
    expected = "manifest.json: No such file";
  }
  SECTION("extra file") {
    write_file(f.child.file("extra"), "x");
    expected = "extra: not in the manifest\n";
  }
  SECTION("changed run record") {
    flip_byte(f.child.file("run.json"), 5);
    expected = "run.json: SHA-256 differs from log.jsonl\n";
  }
  SECTION("missing run record") {
    std::filesystem::remove(f.child.file("run.json"));
    expected = "run.json: No such file";
  }
  const auto problems = f.store.verify([](std::size_t, std::size_t) {});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].id == f.child.id);
  CHECK(contains(problems[0].problem + "\n", expected));
}

TEST_CASE("what is missing is found wherever something points at it") {
  const Family f;
  SECTION("parent") {
    std::filesystem::remove_all(f.parent.directory);
    CHECK(problems_of(f.store) == "its raw " + f.parent.id + " is missing\nthe key " +
                                      key_of(1).digest() +
                                      ".json points at it, but it is missing\n");
  }
  SECTION("named") {
    std::filesystem::remove_all(f.child.directory);
    CHECK(problems_of(f.store) == "the name child points at it, but it is missing\nthe key " +
                                      key_of(2).digest() +
                                      ".json points at it, but it is missing\n");
  }
  SECTION("name of nothing") {
    f.store.set_name("empty", "");
    CHECK(problems_of(f.store) == "the name empty points at it, but it is missing\n");
  }
}

TEST_CASE("a changed key is found") {
  const Family f;
  const auto path = key_file(f.store, key_of(1));
  const std::string text = read_file(path);
  Json key = Json::parse(text);
  SECTION("not readable") { overwrite(path, "{"); }
  SECTION("no object") { overwrite(path, "[1]"); }
  SECTION("of another form") { overwrite(path, "{\"artifact\": 3}"); }
  SECTION("other inputs") {
    key["inputs"]["seed"] = 7;
    overwrite(path, canonical_json(key));
  }
  CHECK(contains(problems_of(f.store), "the key " + key_of(1).digest() + ".json was changed"));
  overwrite(path, text);
  CHECK(problems_of(f.store).empty());
}

TEST_CASE("a changed log is found, with its line") {
  const Family f;
  static_cast<void>(publish(f.store, 3));
  const auto path = f.root / "log.jsonl";
  const auto lines = split(trim(read_file(path)), '\n');
  REQUIRE(lines.size() == 3);
  SECTION("a changed line breaks the chain after it") {
    std::string changed = lines[0];
    changed[changed.find("publish")] = 'q';
    write_file(path, changed + "\n" + lines[1] + "\n" + lines[2] + "\n");
    const std::string problems = problems_of(f.store);
    CHECK(contains(problems, "log.jsonl:2: does not follow"));
    CHECK(contains(problems, "its publication is not in log.jsonl"));
  }
  SECTION("a removed line") {
    write_file(path, lines[0] + "\n" + lines[2] + "\n");
    CHECK(contains(problems_of(f.store), "log.jsonl:2: does not follow"));
  }
  SECTION("removed last lines") {
    write_file(path, lines[0] + "\n");
    CHECK(problems_of(f.store) ==
          "its publication is not in log.jsonl\nits publication is not in log.jsonl\n");
  }
  SECTION("removed first line") {
    write_file(path, lines[1] + "\n" + lines[2] + "\n");
    CHECK(contains(problems_of(f.store), "log.jsonl:1: does not follow"));
  }
  SECTION("lines that are no entries") {
    write_file(path, "x\n[1]\n{\"previous\": 5, \"event\": [], \"id\": 1}\n\n");
    const std::string problems = problems_of(f.store);
    CHECK(contains(problems, "log.jsonl:1: not readable"));
    CHECK(contains(problems, "log.jsonl:2: not readable"));
    CHECK(contains(problems, "log.jsonl:3: does not follow"));
    CHECK(contains(problems, "log.jsonl:4: not readable"));
  }
  SECTION("no log at all") {
    std::filesystem::remove(path);
    CHECK(contains(problems_of(f.store), "its publication is not in log.jsonl"));
  }
}

TEST_CASE("a torn last line never counted, and the next publication removes it") {
  for (const std::string torn : {"{\"event\": \"publish\", \"id\"", "x", "\xff"}) {
    const Family f;
    const auto path = f.root / "log.jsonl";
    const std::string whole = read_file(path);
    write_file(path, whole + torn);
    CHECK(problems_of(f.store).empty());
    static_cast<void>(publish(f.store, 3));
    CHECK(problems_of(f.store).empty());
    CHECK(read_file(path).starts_with(whole + "{"));
    CHECK(store_log(f.root).read().entries.size() == 3);
  }
}

TEST_CASE("a torn first line is removed too") {
  const test::ScratchFolder scratch;
  write_file(scratch / "log.jsonl", std::string(5000, 'x'));
  CHECK(store_log(scratch.path()).read().entries.empty());
  static_cast<void>(store_log(scratch.path()).append({{"n", 1}}));
  const LogContents log = store_log(scratch.path()).read();
  CHECK(log.problems.empty());
  REQUIRE(log.entries.size() == 1);
  CHECK(log.entries[0].at("previous") == std::string(64, '0'));
}

TEST_CASE("lines around and beyond the size of a read block stay chained") {
  const test::ScratchFolder scratch;
  const std::vector<std::size_t> sizes = {1,    3990, 4000, 4005, 4009, 4010, 4011,   4012,
                                          4013, 4020, 4096, 8100, 8192, 9000, 100000, 1};
  for (const std::size_t size : sizes) {
    static_cast<void>(store_log(scratch.path()).append({{"t", std::string(size, 't')}}));
    if (size % 2 == 0) {
      const std::string whole = read_file(scratch / "log.jsonl");
      write_file(scratch / "log.jsonl", whole + std::string(size, 'x'));
    }
  }
  const LogContents log = store_log(scratch.path()).read();
  CHECK(log.problems.empty());
  REQUIRE(log.entries.size() == sizes.size());
  std::string previous(64, '0');
  for (const std::string& line : split(trim(read_file(scratch / "log.jsonl")), '\n')) {
    CHECK(Json::parse(line).at("previous") == previous);
    previous = sha256_hex(line);
  }
}

TEST_CASE("there need not be a log yet") {
  const test::ScratchFolder scratch;
  CHECK(store_log(scratch.path()).read().entries.empty());
  CHECK(store_log(scratch.path()).read().problems.empty());
}

}  // namespace
}  // namespace tcrops::store

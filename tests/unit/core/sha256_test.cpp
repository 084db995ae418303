#include <tcrops/core/sha256.hpp>

#include <catch_all.hpp>
#include <error_of.hpp>
#include <scratch_folder.hpp>

namespace tcrops {
namespace {

constexpr const char* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST_CASE("the examples of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1000000, 'a')) == kMillion);
}

TEST_CASE("pieces of any size give the same hash, also after a move") {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(999, 'a'));
  Sha256 moved = std::move(hash);
  moved.update("");
  moved.update(std::string(1000, 'a'));
  CHECK(moved.hex() == kMillion);
}

TEST_CASE("a file's hash, longer than a block and empty") {
  const test::ScratchFolder scratch;
  write_file(scratch / "long", std::string(3000001, 'x'));
  CHECK(sha256_file(scratch / "long") == sha256_hex(std::string(3000001, 'x')));
  write_file(scratch / "empty", "");
  CHECK(sha256_file(scratch / "empty") == sha256_hex(""));
}

TEST_CASE("a file that is not there or is a folder is a missing artifact") {
  const test::ScratchFolder scratch;
  for (const auto& path : {scratch / "none", scratch.path()}) {
    const auto error = test::error_of([&] { static_cast<void>(sha256_file(path)); });
    CHECK(error.code == ExitCode::kArtifact);
    CHECK(error.says(path.string()));
  }
}

}  // namespace
}  // namespace tcrops

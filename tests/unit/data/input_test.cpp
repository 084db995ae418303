#include "packed.hpp"

#include <tcrops/core/rng.hpp>

#include <error_of.hpp>
#include <fstream>
#include <scratch_folder.hpp>

namespace tcrops::data {
namespace {

using test::error_of;
using test::Thrown;

// Longer than one block of the streams, and hard to compress.
std::string long_text() {
  Rng rng(5, "long text");
  std::string text(700'000, ' ');
  for (char& c : text) c = static_cast<char>('A' + rng.below(20));
  return text;
}

Thrown unpacking(const std::string& bytes, const std::string& member = "") {
  return error_of([&] { (void)unpacked(bytes, member); });
}

std::string compression_of(const std::string& bytes) {
  return open_input(std::make_unique<std::istringstream>(bytes), "t").compression;
}

}  // namespace

TEST_CASE("plain bytes come through, however few") {
  for (const std::string& text : {std::string(), std::string("\x1F"), std::string("PK\x03"),
                                  std::string("abc\0def", 7), long_text()}) {
    CHECK(unpacked(text) == text);
    CHECK(compression_of(text).empty());
  }
}

TEST_CASE("every compression is seen from the bytes") {
  const std::string text = long_text();
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"gzip", gzip(text)},
      {"zstd", archived("zstd", {{"data", text}})},
      {"zip", archived("zip", {{"a.csv", text}})},
      {"zip", archived("zip", {{"a.csv", text}}, "zip:compression=store")},
      {"zip", archived("zip", {{"folder/", ""}, {"folder/a.csv", text}})}};
  for (const auto& [name, bytes] : kinds) {
    CHECK(compression_of(bytes) == name);
    CHECK(unpacked(bytes) == text);
  }
}

TEST_CASE("gzip members are joined, with or without padding behind them") {
  const std::string a = gzip("first,");
  const std::string b = gzip("second");
  CHECK(unpacked(a + b) == "first,second");
  CHECK(unpacked(gzip("") + a + gzip("") + b + gzip("")) == "first,second");
  CHECK(unpacked(a + std::string(3, '\0')) == "first,");
  CHECK(unpacked(a + std::string(400'000, '\0')) == "first,");
  const std::string text = long_text();
  CHECK(unpacked(gzip(text) + gzip(text)) == text + text);
}

TEST_CASE("gzip cut off at any byte is an error") {
  const std::string packed = gzip("CDR3_beta\nCASSIRSSYEQYF\n") + gzip("CASSF\n");
  const std::size_t first = gzip("CDR3_beta\nCASSIRSSYEQYF\n").size();
  for (std::size_t bytes = 2; bytes < packed.size(); ++bytes) {
    CAPTURE(bytes);
    if (bytes == first) continue;  // whole members: nothing says that there was another
    const Thrown thrown = unpacking(packed.substr(0, bytes));
    CHECK(thrown.code == ExitCode::kInputData);
    CHECK(thrown.says("t: "));
  }
  CHECK(unpacking(packed.substr(0, first - 1)).says("cut off"));
}

TEST_CASE("a changed byte of gzip never gives other text") {
  const std::string text = "CDR3_beta\nCASSIRSSYEQYF\nCASSLAPGTTNEKLFF\n";
  const std::string packed = gzip(text);
  std::size_t noticed = 0;
  for (std::size_t at = 2; at < packed.size(); ++at) {
    for (const int bit : {1, 16, 128}) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      std::string out;
      const Thrown thrown = error_of([&] { out = unpacked(damaged); });
      CAPTURE(at, bit);
      noticed += thrown.code == ExitCode::kInputData ? 1 : 0;
      CHECK((thrown.code == ExitCode::kInputData || out == text));
    }
  }
  // Bytes 4 to 9 are a time, flags of no effect and the system.
  CHECK(noticed >= (packed.size() - 10) * 3);
}

TEST_CASE("what follows gzip data and is neither zero nor gzip is an error") {
  const std::string packed = gzip("a\n");
  for (const std::string& tail :
       {std::string("garbage"), std::string("\n"), std::string("\0\0x", 3), std::string("\x1F"),
        std::string("\x1F\x8B garbage")}) {
    CHECK(unpacking(packed + tail).code == ExitCode::kInputData);
  }
  CHECK(unpacking(packed + "garbage").says("bytes that are not gzip follow"));
}

TEST_CASE("zstd that is cut off is an error") {
  const std::string packed = archived("zstd", {{"data", "CDR3_beta\nCASSIRSSYEQYF\n"}});
  for (std::size_t bytes = 4; bytes < packed.size(); ++bytes) {
    CAPTURE(bytes, packed.size());
    CHECK(unpacking(packed.substr(0, bytes)).code == ExitCode::kInputData);
  }
}

TEST_CASE("a zip is read when there is one file in it, or the file is named") {
  const Members two = {{"x/a.csv", "first"}, {"x/b.csv", "second"}};
  const std::string zip = archived("zip", two);
  const Thrown several = unpacking(zip);
  CHECK(several.code == ExitCode::kInputData);
  CHECK(several.says("b.csv"));
  CHECK(unpacked(zip, "a.csv") == "first");
  CHECK(unpacked(zip, "b.csv") == "second");
  const Thrown missing = unpacking(zip, "c.csv");
  CHECK(missing.code == ExitCode::kInputData);
  CHECK(missing.says("x/a.csv, x/b.csv"));
  CHECK(unpacking(archived("zip", {{"x/", ""}})).says("no file in the archive"));
  CHECK(open_input(std::make_unique<std::istringstream>(zip), "z.zip", "b.csv").name ==
        "z.zip/b.csv");
}

TEST_CASE("an encrypted zip is refused in so many words") {
  const std::string zip = archived("zip", {{"a.csv", "first"}}, "zip:encryption=zipcrypt");
  const Thrown thrown = unpacking(zip);
  CHECK(thrown.code == ExitCode::kInputData);
  CHECK(thrown.says("encrypted"));
}

TEST_CASE("a damaged zip is an error or its very text") {
  const std::string text = "CDR3_beta\nCASSIRSSYEQYF\nCASSLAPGTTNEKLFF\n";
  const std::string zip = archived("zip", {{"a.csv", text}});
  std::size_t noticed = 0;
  for (std::size_t at = 4; at < zip.size(); ++at) {
    std::string damaged = zip;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::string out;
    const Thrown thrown = error_of([&] { out = unpacked(damaged); });
    CAPTURE(at);
    noticed += thrown.code == ExitCode::kInputData ? 1 : 0;
    CHECK((thrown.code == ExitCode::kInputData || out == text));
  }
  CHECK(noticed >= text.size());
  for (std::size_t bytes = 4; bytes < zip.find("PK\x01\x02"); ++bytes) {
    CAPTURE(bytes);
    CHECK(unpacking(zip.substr(0, bytes)).code == ExitCode::kInputData);
  }
}

TEST_CASE("files that cannot be read are named") {
  const test::ScratchFolder folder;
  const Thrown of_folder = error_of([&] { (void)open_input(folder.path().string()); });
  CHECK(of_folder.code == ExitCode::kInputData);
  CHECK(of_folder.says("a folder, not a file"));
  const Thrown of_nothing = error_of([&] { (void)open_input((folder / "none.csv").string()); });
  CHECK(of_nothing.code == ExitCode::kInputData);
  CHECK(of_nothing.says("none.csv"));
  std::ofstream(folder / "a.csv", std::ios::binary) << gzip("CDR3_beta\n");
  const Input input = open_input((folder / "a.csv").string());
  CHECK(input.compression == "gzip");
  std::string line;
  CHECK(std::getline(*input.stream, line));
  CHECK(line == "CDR3_beta");
}

}  // namespace tcrops::data

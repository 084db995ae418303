#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/configuration.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// What a file of a raw artifact is for.
inline constexpr const char* kPairs = "pairs";
inline constexpr const char* kControl = "control";
inline constexpr const char* kMeasured = "measured";
inline constexpr const char* kTest = "test";

// A file that a public source consists of.
struct SourceFile {
  std::string name;
  std::string sha256;       // empty: not pinned
  std::uint64_t bytes = 0;  // 0: unknown
  std::string epitope;      // of rows that name none
};

// A public source: where its files are, how they are read, and on what terms they may be used.
struct RawSource {
  std::string origin;  // URL before a file's name
  std::vector<SourceFile> files;
  std::string format;
  std::string member;  // of an archive
  std::string licence;
  std::string citation;
};

// Empty for a source that is not public: "file", "synthetic".
[[nodiscard]] std::optional<RawSource> public_source(const FetchConfig& config);
// Likewise of the table to test on.
[[nodiscard]] std::optional<RawSource> public_test_source(const FetchConfig& config);

}  // namespace tcrops::stages

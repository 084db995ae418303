// Opens what a user hands over: a file or standard input, compressed or not.
#pragma once

#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <vector>

namespace tcrops::data {

// A stream of plain bytes.
struct Input {
  std::unique_ptr<std::istream> stream;
  std::string name;         // for messages; "stdin" for "-", "archive.zip/member" for an archive's
  std::string compression;  // "", "gzip", "zstd", "xz", "bzip2", "zip"
};

// Opens a path, or "-" for standard input. Compression is seen from the first bytes, whatever the
// name says: gzip (several members too; checksums and lengths are verified, and what follows the
// last member is an error), zstd, xz, bzip2, or a zip with one file in it. `member` names the file
// to take from a zip with several, by its last path component. Faults of the compressed data appear
// when the stream gets there: reading throws Error (kInputData). Throws Error (kInputData) for a
// folder, for what cannot be opened, and for a zip without such a file.
[[nodiscard]] Input open_input(const std::string& path, const std::string& member = "");

// The same for bytes from elsewhere.
[[nodiscard]] Input open_input(std::unique_ptr<std::istream> source, const std::string& name,
                               const std::string& member = "");

}  // namespace tcrops::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tcrops::store {

struct TarEntry {
  std::string path;  // as it stands in the archive: anything
  std::uint64_t bytes = 0;
  std::string problem;  // "", or why it is not a plain file under a plain relative path

  // Quoted, without control characters.
  [[nodiscard]] std::string shown_path() const;
};

// A tar file from anywhere, plain or packed with gzip or Zstandard, read from front to end in
// bounded memory. Nothing is written. All members throw Error: kInputData when it is no tar file,
// kArtifact when it is damaged or cut off behind its first entry.
class TarReader {
 public:
  // Opens the file, or stdin when it is "-".
  explicit TarReader(const std::filesystem::path& file);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // For messages.
  [[nodiscard]] const std::string& name() const;
  // None at the end. What is left of the entry before is passed over.
  [[nodiscard]] std::optional<TarEntry> next();
  // Bytes of the current entry; 0 at its end.
  [[nodiscard]] std::size_t read(std::span<char> bytes);

  [[nodiscard]] std::uint64_t bytes_read() const;   // of the file
  [[nodiscard]] std::uint64_t total_bytes() const;  // of the file; 0 when nobody knows

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::store

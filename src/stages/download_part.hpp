#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tcrops::stages {

// The half-done file of a download, held under an exclusive lock for the life of the object. It
// outlives the object, unless empty, so that a later process can continue it. Everything throws
// Error; a full disk is kTemporary.
class PartFile {
 public:
  // Opens or creates the file; waits, with check_interrupt(), while another process holds it.
  explicit PartFile(std::filesystem::path path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::string hash() const;
  void append(std::string_view bytes);
  // Back to no bytes.
  void reset();
  // Syncs the file and renames it to `target`. The object is of no use afterwards.
  void publish(const std::filesystem::path& target);

 private:
  [[nodiscard]] bool open_and_lock();

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool published_ = false;
};

}  // namespace tcrops::stages

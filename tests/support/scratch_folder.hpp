#pragma once

#include <tcrops/core/file.hpp>

#include <filesystem>
#include <string>

namespace tcrops::test {

// A folder of its own for one test, removed with the object.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(make_unique_directory(std::filesystem::temp_directory_path(), "tcrops-test-")) {}
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tcrops::test

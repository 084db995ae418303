#pragma once

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>

#include <system_error>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace tcrops::store {

// What stands in one of the store's own folders, in any order; a store without it is damaged.
inline std::filesystem::directory_iterator entries_of(const std::filesystem::path& folder) {
  std::error_code status;
  std::filesystem::directory_iterator entries(folder, status);
  if (status) {
    throw system_error("the store is damaged: cannot list", folder, status.value(),
                       ExitCode::kArtifact);
  }
  return entries;
}

// Where an artifact stands, whether it is there or not.
inline std::filesystem::path artifact_folder(const std::filesystem::path& root,
                                             const std::string& id) {
  return root / "artifacts" / id.substr(0, 2) / id;
}

// Whether it is the SHA-256 of something: 64 lower-case hexadecimal digits.
inline bool is_id(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// None when another process has removed the file meanwhile. What another host has just put there
// may be seen between two looks, so what cannot be read but is there is read again. kArtifact when
// it still cannot be read.
inline std::optional<std::string> read_if_there(const std::filesystem::path& path) {
  constexpr int kLooks = 5;
  constexpr auto kPause = std::chrono::milliseconds(20);
  for (int look = 1;; ++look) {
    try {
      return read_file(path, ExitCode::kArtifact);
    } catch (const Error&) {
      if (!std::filesystem::exists(path)) return std::nullopt;
      if (look == kLooks) throw;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace tcrops::store

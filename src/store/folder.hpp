#pragma once

#include <tcrops/core/error.hpp>

#include <system_error>

#include <filesystem>

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

}  // namespace tcrops::store

#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

namespace tcrops::test {

// Folder of a real data set: below $TCROPS_TEST_DATA, or below shared/data beside the source tree.
// Empty, with a line that says so, when it is not there; under CI=true that is a failure, since a
// test nobody runs proves nothing.
inline std::optional<std::filesystem::path> find_test_data(const std::string& name) {
  // ctest sets TCROPS_SOURCE_DIR; a path compiled in would keep checkouts from sharing a ccache.
  const char* const chosen = std::getenv("TCROPS_TEST_DATA");
  const char* const source = std::getenv("TCROPS_SOURCE_DIR");
  const std::filesystem::path root =
      chosen != nullptr
          ? std::filesystem::path(chosen)
          : std::filesystem::path(source != nullptr ? source : ".") / ".." / "shared" / "data";
  const std::filesystem::path folder = root / name;
  if (std::filesystem::is_directory(folder)) return folder;
  const std::string why = "no test data in " + folder.string() + "; set TCROPS_TEST_DATA";
  const char* const ci = std::getenv("CI");
  if (ci != nullptr && std::string(ci) == "true") throw std::runtime_error(why);
  std::cout << "SKIPPED: " << why << '\n';
  return std::nullopt;
}

}  // namespace tcrops::test

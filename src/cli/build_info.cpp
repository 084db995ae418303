#include "build_info.hpp"

#include <tcrops/core/text.hpp>
#include <tcrops/core/version.hpp>

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

std::string build_text() { return fmt::format("tcrops {} ({})", version(), revision()); }

std::string compiler_text() { return kCompiler; }

Json build_json() {
  const std::string features = TCROPS_FEATURES;
  return {{"schema", "tcrops.version/1"},
          {"version", version()},
          {"revision", revision()},
          {"revision_date", revision_date()},
          {"compiler", kCompiler},
          {"build_type", TCROPS_BUILD_TYPE},
          {"features", features.empty() ? std::vector<std::string>() : split(features, ' ')}};
}

}  // namespace tcrops::cli

#include <tcrops/core/error.hpp>

#include <fmt/format.h>
#include <system_error>

#include <array>
#include <cerrno>

namespace tcrops {
namespace {

constexpr std::array<ExitStatus, 13> kExitStatuses = {{
    {ExitCode::kOk, "ok", "the command did what it was asked"},
    {ExitCode::kFailure, "failure", "anything that has no other status here"},
    {ExitCode::kUsage, "usage", "the command line is wrong"},
    {ExitCode::kConfiguration, "configuration",
     "a value in a pipeline file, --set or a variable is wrong"},
    {ExitCode::kInputData, "input data", "a data file is missing or cannot be used"},
    {ExitCode::kArtifact, "artifact missing or corrupt",
     "no such store or artifact, or a file is not what was published"},
    {ExitCode::kCheckFailed, "check failed", "serve-check, reproduce or another check says no"},
    {ExitCode::kDrift, "drift found", "not yet used", false},
    {ExitCode::kLeaseLost, "another worker took over", "not yet used", false},
    {ExitCode::kTemporary, "temporary",
     "disk full, network down, out of memory, or asked to stop (SIGUSR1): try again"},
    {ExitCode::kInterrupted, "interrupted", "SIGINT (Ctrl-C): the same command continues"},
    {ExitCode::kReaderGone, "the reader of stdout went away",
     "as behind `head -1`; there is no message"},
    {ExitCode::kTerminated, "terminated", "SIGTERM: the same command continues"},
}};

}  // namespace

std::span<const ExitStatus> exit_statuses() { return kExitStatuses; }

Error system_error(const std::string& action, const std::filesystem::path& path, int error_number,
                   ExitCode otherwise) {
  const std::string reason = std::generic_category().message(error_number);
  const std::string text = fmt::format("{} {}: {}", action, path.string(), reason);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return {ExitCode::kTemporary,
              text + "; free some space and run the same command again, it continues"};
    case EPIPE:
      return {ExitCode::kReaderGone, text};
    case EACCES:
    case EPERM:
    case EROFS:
      return {otherwise,
              text + "; check the permissions, or choose another place (--store, --output)"};
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return {otherwise, text + "; check the path"};
    default:
      return {otherwise, text};
  }
}

}  // namespace tcrops

#pragma once

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tcrops {

// Exit statuses of the command. Scripts rely on them: never renumber.
enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,        // anything not listed below
  kUsage = 2,          // the command line is wrong
  kConfiguration = 3,  // the configuration is wrong
  kInputData = 4,      // a data file is missing or cannot be used
  kArtifact = 5,       // an artifact is missing or corrupt
  kCheckFailed = 6,    // a gate or serve-check said no
  kDrift = 7,          // drift found
  kLeaseLost = 8,      // another worker took over
  kTemporary = 75,     // try the same command again later (disk full, network down)
  kInterrupted = 130,  // SIGINT
  kReaderGone = 141,   // nobody reads the output any more; ends without a message
  kTerminated = 143,   // SIGTERM
};

// The exit statuses in order, for scripts: --help, the manual page and README.md show this table.
struct ExitStatus {
  ExitCode code;
  std::string_view name;    // in a few words
  std::string_view detail;  // when it occurs or what to do
  bool used = true;         // false: reserved
};
[[nodiscard]] std::span<const ExitStatus> exit_statuses();

// The one exception that ends a command. `what()` is the whole message for the user: which file,
// line or key, what was wrong, and what to do about it.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

// Error for a failed system call on `path`. A full disk or quota becomes kTemporary with the advice
// to free space and run the same command again, a pipe without a reader kReaderGone; everything
// else carries `otherwise`.
[[nodiscard]] Error system_error(const std::string& action, const std::filesystem::path& path,
                                 int error_number, ExitCode otherwise = ExitCode::kFailure);

}  // namespace tcrops

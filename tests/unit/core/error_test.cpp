#include <tcrops/core/error.hpp>

#include <catch_all.hpp>
#include <cerrno>
#include <string>

namespace tcrops {
namespace {

bool contains(const Error& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

TEST_CASE("exit statuses that scripts rely on") {
  CHECK(static_cast<int>(ExitCode::kOk) == 0);
  CHECK(static_cast<int>(ExitCode::kFailure) == 1);
  CHECK(static_cast<int>(ExitCode::kUsage) == 2);
  CHECK(static_cast<int>(ExitCode::kConfiguration) == 3);
  CHECK(static_cast<int>(ExitCode::kInputData) == 4);
  CHECK(static_cast<int>(ExitCode::kArtifact) == 5);
  CHECK(static_cast<int>(ExitCode::kCheckFailed) == 6);
  CHECK(static_cast<int>(ExitCode::kDrift) == 7);
  CHECK(static_cast<int>(ExitCode::kLeaseLost) == 8);
  CHECK(static_cast<int>(ExitCode::kTemporary) == 75);
  CHECK(static_cast<int>(ExitCode::kInterrupted) == 130);
  CHECK(static_cast<int>(ExitCode::kReaderGone) == 141);
  CHECK(static_cast<int>(ExitCode::kTerminated) == 143);
}

TEST_CASE("the table of exit statuses is in order and says what is not used yet") {
  int before = -1;
  for (const ExitStatus& status : exit_statuses()) {
    CHECK(static_cast<int>(status.code) > before);
    before = static_cast<int>(status.code);
    CHECK(status.used == (status.detail != "not yet used"));
  }
}

TEST_CASE("a pipe that nobody reads has a status of its own") {
  CHECK(system_error("cannot write", "stdout", EPIPE).code() == ExitCode::kReaderGone);
}

TEST_CASE("a full disk or quota is temporary, whatever the caller makes of other errors") {
  for (const int number : {ENOSPC, EDQUOT}) {
    const Error error = system_error("cannot write", "/a/b", number, ExitCode::kArtifact);
    CHECK(error.code() == ExitCode::kTemporary);
    CHECK(contains(error, "cannot write /a/b: "));
    CHECK(contains(error, "free some space and run the same command again"));
  }
}

TEST_CASE("a refused access says to check the permissions") {
  for (const int number : {EACCES, EPERM, EROFS}) {
    const Error error = system_error("cannot create", "/a/b", number);
    CHECK(error.code() == ExitCode::kFailure);
    CHECK(contains(error, "check the permissions"));
  }
}

TEST_CASE("other errors carry the caller's code") {
  const Error missing = system_error("cannot read", "/a/b", ENOENT, ExitCode::kInputData);
  CHECK(missing.code() == ExitCode::kInputData);
  CHECK(contains(missing, "cannot read /a/b: No such file or directory"));
  const Error broken = system_error("cannot read", "/a/b", EIO, ExitCode::kArtifact);
  CHECK(broken.code() == ExitCode::kArtifact);
  CHECK(std::string(broken.what()) == "cannot read /a/b: Input/output error");
}

}  // namespace
}  // namespace tcrops

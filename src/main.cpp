#include <tcrops/cli/commands.hpp>
#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <new>

namespace {

// The next file opened would take the place of a closed standard descriptor, and text for people
// would end up in it. stdout is held open for reading only, so that a result nobody gets is an
// error.
void hold_standard_descriptors() {
  constexpr std::array<int, 3> kModes = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
      static_cast<void>(open("/dev/null", kModes[static_cast<std::size_t>(descriptor)]));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  using tcrops::ExitCode;
  try {
    hold_standard_descriptors();
    tcrops::install_interrupt_handlers();
    return tcrops::cli::run(argc, argv);
  } catch (const tcrops::Error& e) {
    if (e.code() != ExitCode::kReaderGone) tcrops::log_error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::filesystem::filesystem_error& e) {
    const tcrops::Error error = tcrops::system_error("cannot use", e.path1(), e.code().value());
    tcrops::log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    tcrops::log_error("out of memory; use a machine with more, or smaller data");
    return static_cast<int>(ExitCode::kTemporary);
  } catch (const std::exception& e) {
    tcrops::log_error(fmt::format("internal error: {}", e.what()));
    return static_cast<int>(ExitCode::kFailure);
  }
}

#include <tcrops/cli/commands.hpp>
#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>

#include <exception>
#include <new>

int main(int argc, char** argv) {
  using tcrops::ExitCode;
  try {
    tcrops::install_interrupt_handlers();
    return tcrops::cli::run(argc, argv);
  } catch (const tcrops::Error& e) {
    tcrops::log_error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::bad_alloc&) {
    tcrops::log_error("out of memory; use a machine with more, or smaller data");
    return static_cast<int>(ExitCode::kTemporary);
  } catch (const std::exception& e) {
    tcrops::log_error(fmt::format("internal error: {}", e.what()));
    return static_cast<int>(ExitCode::kFailure);
  }
}

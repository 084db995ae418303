// Calls download() once, for tests/e2e/download_test.py: exits with the status tcrops would exit
// with, and writes nothing but the messages on stderr.
//
//   download_probe SOURCE SHA256 TARGET [--bytes N] [--retries N] [--pause S] [--stall S]

#include "../../../src/stages/download.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <exception>
#include <string>
#include <vector>

namespace {

using namespace tcrops;
using namespace tcrops::stages;

void run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3 || arguments.size() % 2 == 0) {
    throw Error(ExitCode::kUsage, "SOURCE SHA256 TARGET [--option value]...");
  }
  DownloadSource source{arguments[0], arguments[1]};
  DownloadOptions options;
  for (std::size_t i = 3; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const double value = parse_number(arguments[i + 1]).value();
    if (name == "--bytes") {
      source.bytes = static_cast<std::uint64_t>(value);
    } else if (name == "--retries") {
      options.retries = static_cast<std::int64_t>(value);
    } else if (name == "--pause") {
      options.first_pause_seconds = value;
    } else if (name == "--stall") {
      options.stall_seconds = value;
    } else {
      throw Error(ExitCode::kUsage, "no option " + name);
    }
  }
  download(source, arguments[2], options);
}

}  // namespace

int main(int count, char** values) {
  install_interrupt_handlers();
  try {
    run({values + 1, values + count});
    return static_cast<int>(ExitCode::kOk);
  } catch (const Error& error) {
    log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    log_error(error.what());
    return static_cast<int>(ExitCode::kFailure);
  }
}

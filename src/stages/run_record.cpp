#include "stage.hpp"

#include <tcrops/core/version.hpp>

#include <fmt/chrono.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace tcrops::stages {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string now_text() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

std::string host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

RunRecord::RunRecord() : started_(now_text()), start_seconds_(now_seconds()) {}

double RunRecord::seconds() const { return now_seconds() - start_seconds_; }

Json RunRecord::finish() const {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return {{"schema", "tcrops.run_record/1"},
          {"started", started_},
          {"finished", now_text()},
          {"seconds", seconds()},
          {"host", host()},
          {"cores", std::thread::hardware_concurrency()},
          {"tcrops", version()},
          {"revision", revision()},
          {"peak_memory_kb", usage.ru_maxrss},
          {"notes", notes}};
}

}  // namespace tcrops::stages

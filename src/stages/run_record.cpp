#include "stage.hpp"

#include <tcrops/core/host.hpp>
#include <tcrops/core/version.hpp>

#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace tcrops::stages {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

RunRecord::RunRecord() : started_(utc_now()), start_seconds_(now_seconds()) {}

double RunRecord::seconds() const { return now_seconds() - start_seconds_; }

Json RunRecord::finish() const {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return {{"schema", "tcrops.run_record/1"},
          {"started", started_},
          {"finished", utc_now()},
          {"seconds", seconds()},
          {"host", host_name()},
          {"cores", std::thread::hardware_concurrency()},
          {"tcrops", version()},
          {"revision", revision()},
          {"peak_memory_kb", usage.ru_maxrss},
          {"notes", notes}};
}

}  // namespace tcrops::stages

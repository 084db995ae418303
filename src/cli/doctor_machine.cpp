#include "doctor.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sched.h>
#include <thread>

namespace tcrops::cli {
namespace {

constexpr std::uint64_t kLittleMemory = 1'000'000'000;

GroupLimits own_limits() {
  try {
    return group_limits("/sys/fs/cgroup", read_file("/proc/self/cgroup", ExitCode::kFailure));
  } catch (const Error&) {
    return {};
  }
}

// NAME=VALUE of the environment, by name.
std::vector<std::string> variables_beginning(std::string_view prefix) {
  std::vector<std::string> found;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(prefix)) found.push_back(valid_utf8(*entry));
  }
  std::sort(found.begin(), found.end());
  return found;
}

// What nn/core_loader.cpp sets anew before it loads LibTorch.
bool is_ignored(const std::string& variable) {
  constexpr std::array<std::string_view, 5> kSet = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                                    "MKL_NUM_THREADS", "OPENBLAS_CORETYPE",
                                                    "ATEN_CPU_CAPABILITY"};
  const std::string name = variable.substr(0, variable.find('='));
  return std::find(kSet.begin(), kSet.end(), name) != kSet.end();
}

// The processors that the process may run on; all when the system does not say.
unsigned allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return std::thread::hardware_concurrency();
  return static_cast<unsigned>(CPU_COUNT(&set));
}

std::uint64_t meminfo(const std::string& key) {
  constexpr std::uint64_t kKilo = 1024;
  for (const std::string& line : split(read_file("/proc/meminfo", ExitCode::kFailure), '\n')) {
    if (!line.starts_with(key + ":")) continue;
    const std::string_view rest = trim(std::string_view(line).substr(key.size() + 1));
    const auto number = parse_integer(rest.substr(0, rest.find(' ')));
    if (number && *number >= 0) return static_cast<std::uint64_t>(*number) * kKilo;
  }
  throw Error(ExitCode::kFailure, fmt::format("/proc/meminfo has no {}", key));
}

}  // namespace

Check check_threads() {
  const unsigned processors = allowed_processors();
  const auto quota = own_limits().cores;
  const double usable = quota ? std::min<double>(*quota, processors) : processors;
  Check check;
  check.found = fmt::format("{:g} cores usable", usable);
  if (quota && *quota < processors) check.found += fmt::format(" of {} (quota)", processors);
  check.facts = {{"processors", std::thread::hardware_concurrency()},
                 {"allowed", processors},
                 {"quota", quota ? Json(*quota) : Json()},
                 {"usable", usable}};
  std::vector<std::string> ignored;
  std::vector<std::string> heeded;
  for (const char* prefix : {"OMP_", "OPENBLAS_", "MKL_", "ATEN_"}) {
    for (const std::string& variable : variables_beginning(prefix)) {
      (is_ignored(variable) ? ignored : heeded).push_back(variable);
    }
  }
  check.facts["ignored_variables"] = ignored;
  check.facts["other_variables"] = heeded;
  if (!ignored.empty()) {
    check.found +=
        fmt::format("; {} set, which tcrops ignores: one thread per trial, --jobs says how many",
                    fmt::join(ignored, ", "));
  }
  if (!heeded.empty()) {
    check.found += fmt::format("; the arithmetic libraries see {}", fmt::join(heeded, ", "));
  }
  return check;
}

Check check_memory() {
  const std::uint64_t total = meminfo("MemTotal");
  std::uint64_t available = meminfo("MemAvailable");
  const auto limit = own_limits().memory_bytes;
  const bool limited = limit && *limit < total;
  Check check;
  check.found = fmt::format("{} of {} available", gigabytes(available), gigabytes(total));
  if (limited) {
    check.found += fmt::format("; a control group allows {}", gigabytes(*limit));
    available = std::min(available, *limit);
  }
  if (available < kLittleMemory) {
    note(check, Status::kWarning, "", "end other programs, or use a machine with more memory");
  }
  check.facts = {{"total_bytes", total},
                 {"available_bytes", available},
                 {"limit_bytes", limited ? Json(*limit) : Json()}};
  return check;
}

Check check_environment() {
  Check check;
  const auto variables = variables_beginning("TCROPS_");
  check.found = variables.empty() ? "no TCROPS_ variable is set"
                                  : fmt::format("{}", fmt::join(variables, ", "));
  check.facts = {{"variables", variables}};
  return check;
}

}  // namespace tcrops::cli

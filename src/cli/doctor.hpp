#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::cli {

enum class Status { kOk, kWarning, kFailed };

// What one look found. A part that is broken may be reported, or thrown as an Error.
struct Check {
  Status status = Status::kOk;
  std::string found;
  std::string advice;           // "" when there is nothing to do
  Json facts = Json::object();  // numbers and versions for programs
};

// Makes it worse, never better, and adds to what was found and what to do.
void note(Check& check, Status status, const std::string& found, const std::string& advice);

// "1.5 GB"
[[nodiscard]] std::string gigabytes(std::uint64_t bytes);

// The program and what computes.
[[nodiscard]] Check check_program();
// Two checks by one look: LibTorch, then BLAS.
struct LibtorchChecks {
  Check libtorch;
  Check blas;
};
[[nodiscard]] LibtorchChecks check_libtorch();
[[nodiscard]] Check check_device();

// The machine.
[[nodiscard]] Check check_threads();
[[nodiscard]] Check check_memory();
[[nodiscard]] Check check_environment();

// The limits of the control groups that a process is in; none where there is no limit.
struct GroupLimits {
  std::optional<double> cores;
  std::optional<std::uint64_t> memory_bytes;
};
// Both versions of cgroups. `root` is /sys/fs/cgroup, `membership` the text of /proc/self/cgroup.
[[nodiscard]] GroupLimits group_limits(const std::filesystem::path& root,
                                       const std::string& membership);

// The store that is there or would be made.
struct StoreChecks {
  Check disk;
  Check clock;
  Check store;
};
[[nodiscard]] StoreChecks check_store(const std::filesystem::path& root);

}  // namespace tcrops::cli

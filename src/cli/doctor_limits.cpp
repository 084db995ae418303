#include "doctor.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>

#include <algorithm>

namespace tcrops::cli {
namespace {

namespace fs = std::filesystem;

// Whatever is not a number ("max", or no such file) is no limit.
std::vector<std::int64_t> numbers_in(const fs::path& path) {
  std::vector<std::int64_t> numbers;
  try {
    for (const std::string& word : split(trim(read_file(path)), ' ')) {
      const auto number = parse_integer(word);
      if (!number) return {};
      numbers.push_back(*number);
    }
  } catch (const Error&) {
    return {};
  }
  return numbers;
}

void tighten(GroupLimits& limits, const std::vector<std::int64_t>& quota_and_period,
             const std::vector<std::int64_t>& memory) {
  // Version 1 says "no limit" as -1, or as a number that no machine has.
  constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;
  if (quota_and_period.size() == 2 && quota_and_period[0] > 0 && quota_and_period[1] > 0) {
    const double cores =
        static_cast<double>(quota_and_period[0]) / static_cast<double>(quota_and_period[1]);
    limits.cores = std::min(limits.cores.value_or(cores), cores);
  }
  if (memory.size() == 1 && memory[0] > 0 && memory[0] < kNoLimit) {
    const auto bytes = static_cast<std::uint64_t>(memory[0]);
    limits.memory_bytes = std::min(limits.memory_bytes.value_or(bytes), bytes);
  }
}

void look_at(GroupLimits& limits, const fs::path& folder) {
  auto quota = numbers_in(folder / "cpu.cfs_quota_us");
  const auto period = numbers_in(folder / "cpu.cfs_period_us");
  quota.insert(quota.end(), period.begin(), period.end());
  tighten(limits, quota, numbers_in(folder / "memory.limit_in_bytes"));
  tighten(limits, numbers_in(folder / "cpu.max"), numbers_in(folder / "memory.max"));
}

}  // namespace

// A limit of a group above counts too. In a container the path is often the host's, and not there:
// then only the root is, which is the container's own.
GroupLimits group_limits(const fs::path& root, const std::string& membership) {
  GroupLimits limits;
  for (const std::string& line : split(membership, '\n')) {
    // number:controllers:path, without controllers for version 2
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path top = controllers.empty() ? root : root / controllers;
    fs::path below = fs::path(line.substr(second + 1)).relative_path();
    while (!below.empty()) {
      look_at(limits, top / below);
      below = below.parent_path();
    }
    look_at(limits, top);
  }
  return limits;
}

}  // namespace tcrops::cli

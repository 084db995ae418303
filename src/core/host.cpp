#include <tcrops/core/host.hpp>

#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <malloc.h>
#include <pwd.h>

namespace tcrops {

std::string utc_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

std::optional<std::chrono::system_clock::time_point> utc_time(const std::string& text) {
  using std::chrono::system_clock;
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* const end = strptime(text.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    const auto time = system_clock::from_time_t(timegm(&parts));
    // What no calendar has, as 30 February, comes back as another day.
    const std::string back = utc_text(time);
    if (back.starts_with(text)) return time;
  }
  return std::nullopt;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  const auto number = geteuid();
  const int status = getpwuid_r(number, &entry, buffer.data(), buffer.size(), &found);
  return status == 0 && found != nullptr ? found->pw_name : std::to_string(number);
}

std::uint64_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tcrops

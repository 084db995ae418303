#include <tcrops/core/host.hpp>

#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <pwd.h>

namespace tcrops {

std::string utc_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

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

}  // namespace tcrops

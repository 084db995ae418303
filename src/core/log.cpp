#include <tcrops/core/log.hpp>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>

namespace tcrops {
namespace {

std::atomic<Verbosity> current{Verbosity::kNormal};

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    const bool colour = isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
        colour ? spdlog::color_mode::always : spdlog::color_mode::never);
    auto made = std::make_shared<spdlog::logger>("tcrops", sink);
    made->set_pattern("%^%l%$: %v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_verbosity(Verbosity verbosity) {
  current = verbosity;
  switch (verbosity) {
    case Verbosity::kQuiet:
      logger().set_level(spdlog::level::warn);
      return;
    case Verbosity::kNormal:
      logger().set_level(spdlog::level::info);
      return;
    case Verbosity::kVerbose:
      logger().set_level(spdlog::level::debug);
      return;
  }
}

Verbosity verbosity() { return current; }

void log_debug(std::string_view message) { logger().debug("{}", message); }
void log_info(std::string_view message) { logger().info("{}", message); }
void log_warning(std::string_view message) { logger().warn("{}", message); }
void log_error(std::string_view message) { logger().error("{}", message); }

}  // namespace tcrops

#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tcrops {
namespace {

constexpr auto kTerminalPause = std::chrono::milliseconds(100);
constexpr auto kLogPause = std::chrono::seconds(5);

std::string amount(std::uint64_t value, const std::string& unit) {
  if (unit == "bytes") return fmt::format("{:.1f} MB", static_cast<double>(value) / 1e6);
  return fmt::format("{} {}", value, unit);
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

Progress::Progress(std::string label, std::uint64_t total, std::string unit,
                   std::uint64_t already_done)
    : label_(std::move(label)),
      total_(total),
      unit_(std::move(unit)),
      already_done_(already_done),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

std::string Progress::line(std::uint64_t done, const std::string& note, bool bar) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string text = label_ + ": ";
  if (total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    if (bar) {
      const auto filled = static_cast<std::size_t>(share * 24.0);
      text += fmt::format("[{}{}] ", std::string(filled, '#'), std::string(24 - filled, '.'));
    }
    const std::string part = unit_ == "bytes" ? amount(done, unit_) : std::to_string(done);
    text += fmt::format("{} of {}", part, amount(total_, unit_));
    if (done > already_done_ && done < total_) {
      const double pace = seconds / static_cast<double>(done - already_done_);
      text += fmt::format(", {} left", duration(pace * static_cast<double>(total_ - done)));
    }
  } else {
    text += amount(done, unit_);
  }
  if (!note.empty()) text += ", " + note;
  return text;
}

void Progress::update(std::uint64_t done, const std::string& note) {
  if (verbosity() == Verbosity::kQuiet) return;
  const std::scoped_lock lock(mutex_);
  const auto now = Clock::now();
  if (terminal_) {
    if (drawn_ && now - shown_ < kTerminalPause && (total_ == 0 || done < total_)) return;
    std::fputs(("\r\x1b[K" + line(done, note, true)).c_str(), stderr);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    if (now - shown_ < kLogPause) return;
    log_info(line(done, note, false));
  }
  shown_ = now;
}

}  // namespace tcrops

#include "retry.hpp"

#include <tcrops/core/interrupt.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace tcrops::db {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kSlice{0.2};
constexpr Seconds kFirstPause{0.1};
constexpr Seconds kLongestPause{5.0};
constexpr Seconds kLongestConflictPause{0.25};
constexpr int kMostConflicts = 100;

// Differs between processes, which must not all come back at the same moment.
std::uint64_t seed_of_this_moment() {
  const auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
  return static_cast<std::uint64_t>(ticks) ^ (static_cast<std::uint64_t>(getpid()) << 40U);
}

}  // namespace

void pause(std::chrono::duration<double> length) {
  const auto until = std::chrono::steady_clock::now() + length;
  for (;;) {
    check_interrupt();
    const Seconds left = until - std::chrono::steady_clock::now();
    if (left <= Seconds::zero()) return;
    std::this_thread::sleep_for(std::min(left, kSlice));
  }
}

Retry::Retry(double patience_seconds, const OnWait& on_wait)
    : patience_(patience_seconds),
      on_wait_(on_wait),
      next_pause_(kFirstPause),
      rng_(seed_of_this_moment(), "pauses between tries") {}

void Retry::after(const Away& failure, bool was_connected) {
  const auto now = Clock::now();
  const bool is_first = !first_failure_;
  if (is_first) first_failure_ = now;
  if (is_first && was_connected) return;
  const Seconds left = *first_failure_ + patience_ - now;
  if (left <= Seconds::zero()) throw failure;
  if (on_wait_) on_wait_(failure.what());
  pause(std::min(left, next_pause_ * (0.75 + 0.5 * rng_.uniform())));
  next_pause_ = std::min(2.0 * next_pause_, kLongestPause);
}

void Retry::after(const Conflict& failure) {
  if (++conflicts_ >= kMostConflicts) {
    throw Error(ExitCode::kTemporary, fmt::format("{} (tried {} times; run the same command again)",
                                                  failure.what(), kMostConflicts));
  }
  const Seconds longest = Seconds(0.001) * conflicts_ * conflicts_;
  pause(std::min(longest, kLongestConflictPause) * rng_.uniform());
}

}  // namespace tcrops::db

#pragma once

#include "driver.hpp"

#include <tcrops/core/rng.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace tcrops::db {

// Sleeps in slices between which `check_interrupt` is asked.
void pause(std::chrono::duration<double> length);

// How often one operation is tried.
class Retry {
 public:
  using OnWait = std::function<void(const std::string& reason)>;
  Retry(double patience_seconds, const OnWait& on_wait);

  // Pauses before the next try; throws the failure when the patience is at an end. `was_connected`:
  // the connection seemed to be there, so the first time there is nothing to wait for.
  void after(const Away& failure, bool was_connected);
  // Likewise; throws after too many.
  void after(const Conflict& failure);

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::duration<double> patience_;
  const OnWait& on_wait_;
  std::optional<Clock::time_point> first_failure_;
  std::chrono::duration<double> next_pause_;
  int conflicts_ = 0;
  Rng rng_;
};

}  // namespace tcrops::db

#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace tcrops {

// Progress of one long job, on stderr: a bar with the time left on a terminal, one line every few
// seconds otherwise, nothing with --quiet. Thread-safe.
class Progress {
 public:
  // `total` 0 means unknown. `unit` is what is counted: "trials", "rows", "bytes" (shown as MB).
  // `already_done` was there before this job began and says nothing about its speed.
  Progress(std::string label, std::uint64_t total, std::string unit,
           std::uint64_t already_done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Sets the amount done. `note` is shown behind it, for example the best value so far.
  void update(std::uint64_t done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string line(std::uint64_t done, const std::string& note, bool bar) const;

  std::string label_;
  std::uint64_t total_;
  std::string unit_;
  std::uint64_t already_done_;
  bool terminal_;
  bool drawn_ = false;
  std::mutex mutex_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

}  // namespace tcrops

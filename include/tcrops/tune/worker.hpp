#pragma once

#include <tcrops/tune/storage.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace tcrops::tune {

// A process that works on a study. Any number of them, on any machines, are peers: each takes the
// next trial, keeps its lease alive while it trains, and takes over what a dead one has left.

// A trial that is being trained, and the line to the storage meanwhile.
class Running {
 public:
  Running(Claim claim, StudyStorage& storage, bool pruner);

  [[nodiscard]] const Claim& claim() const { return claim_; }
  // Tells a step's value; true when the trial is to end here, pruned. A storage that is away is not
  // waited for: the report is told later and the training goes on.
  [[nodiscard]] bool report(const Report& report);
  // To be called at every step: throws what ends the trial when the lease is lost, for the result
  // would not count.
  void reached(std::int64_t step);
  // After the last report: tells what could not be told before, and waits for the storage. The step
  // at which the trial is pruned, if it is; what came after it does not count.
  [[nodiscard]] std::optional<std::int64_t> settle();
  // The study's trials as this worker last saw them.
  [[nodiscard]] const std::vector<TrialRecord>& known() const { return storage_.records(); }

 private:
  friend class Worker;
  friend class Renewal;
  void flush();
  [[nodiscard]] bool is_pruned() const { return !decisions_.empty() && decisions_.back().prune; }

  Claim claim_;
  StudyStorage& storage_;
  bool pruner_;
  std::vector<Report> reports_;  // in the storage
  std::vector<Report> untold_;
  std::vector<Decision> decisions_;
  std::chrono::steady_clock::time_point quiet_until_{};
  std::atomic<std::int64_t> step_{0};
  std::atomic<bool> lost_{false};
};

struct WorkerOptions {
  WorkerName name;
  std::int64_t jobs = 1;  // trials at once, a thread each
  StudyStorage::Terms terms;
};

struct WorkerHooks {
  // A connection to the study; called once per thread and once for the leases.
  std::function<StudyStorage()> connect;
  // Trains and judges one point: a pure function of number and point, but for being cut short by
  // what `running` says. Called from several threads at once when jobs > 1.
  std::function<Trial(Running& running)> work;
  // After each trial that this process has ended, one call at a time. Optional.
  std::function<void(const StudyStorage& storage, const Trial& trial)> progress;
};

// Works until all trials of the study have ended, waiting for those of others. Returns how many
// trials this process has ended. A trial that runs out of memory is given back and counts as an
// attempt. A signal gives the running trials back and throws; so does any other exception of
// `work`, of which the first is thrown; then the attempt counts, unless it is an Error
// (kTemporary).
[[nodiscard]] std::int64_t work_on_study(const WorkerOptions& options, const WorkerHooks& hooks);

// 128 random bits in hexadecimal digits, different in every process.
[[nodiscard]] std::string fresh_token();

}  // namespace tcrops::tune

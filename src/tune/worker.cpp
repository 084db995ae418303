#include "knowledge.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/tune/worker.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <new>
#include <random>
#include <thread>

namespace tcrops::tune {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRetryPause = std::chrono::seconds(1);
constexpr auto kShortestWait = std::chrono::milliseconds(20);
constexpr auto kLongestWait = std::chrono::milliseconds(1000);
constexpr auto kQuietWait = std::chrono::seconds(2);
constexpr double kRenewalsPerLease = 4.0;

// Ends a trial whose lease is lost.
struct LeaseLost {};

bool is_temporary(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& e) {
    return e.code() == ExitCode::kTemporary;
  } catch (...) {
    return false;
  }
}

// Without waiting for a database that is away, as long as the object lives.
class Impatient {
 public:
  explicit Impatient(db::Database& database)
      : database_(database), patience_(database.patience_seconds()) {
    database_.set_patience(0.0);
  }
  Impatient(const Impatient&) = delete;
  Impatient& operator=(const Impatient&) = delete;
  ~Impatient() { database_.set_patience(patience_); }

 private:
  db::Database& database_;
  double patience_;
};

}  // namespace

std::string fresh_token() {
  std::random_device source;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", source());
  return token;
}

Running::Running(Claim claim, StudyStorage& storage, bool pruner)
    : claim_(std::move(claim)), storage_(storage), pruner_(pruner) {}

// Tells what is untold, in order, until the storage says that the trial is pruned.
void Running::flush() {
  while (!untold_.empty() && !is_pruned()) {
    const std::optional<Decision> decision = storage_.report(claim_, untold_.front());
    if (!decision) {
      lost_ = true;
      return;
    }
    decisions_.push_back(*decision);
    reports_.push_back(untold_.front());
    untold_.erase(untold_.begin());
  }
}

bool Running::report(const Report& report) {
  if (!pruner_) return false;
  untold_.push_back(kept(report));
  if (Clock::now() < quiet_until_) return false;
  try {
    const Impatient now(storage_.database());
    flush();
  } catch (const Error& e) {
    if (e.code() != ExitCode::kTemporary) throw;
    log_debug(fmt::format("trial {}: told later: {}", claim_.number, e.what()));
    quiet_until_ = Clock::now() + kRetryPause;
  }
  return is_pruned();
}

std::optional<std::int64_t> Running::settle() {
  flush();
  if (lost_) throw LeaseLost{};
  return is_pruned() ? std::optional(reports_.back().step) : std::nullopt;
}

void Running::reached(std::int64_t step) {
  step_ = step;
  if (lost_) throw LeaseLost{};
}

// Keeps the leases of this process alive, with a connection of its own.
class Renewal {
 public:
  Renewal(const WorkerHooks& hooks, double lease_seconds)
      : hooks_(hooks), lease_seconds_(lease_seconds), thread_([this] { run(); }) {}
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;
  ~Renewal() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void add(Running& running) {
    const std::lock_guard lock(mutex_);
    running_.push_back(&running);
  }
  void remove(Running& running) {
    const std::lock_guard lock(mutex_);
    running_.remove(&running);
  }

 private:
  void run() {
    const auto pause = std::chrono::duration<double>(lease_seconds_ / kRenewalsPerLease);
    std::optional<StudyStorage> storage;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, pause, [this] { return ended_; })) {
      const std::vector<Claim> claims = claims_now();
      lock.unlock();
      const std::vector<std::string> lost = renew(storage, claims);
      lock.lock();
      for (Running* each : running_) {
        if (std::find(lost.begin(), lost.end(), each->claim().token) != lost.end())
          each->lost_ = true;
      }
    }
  }

  [[nodiscard]] std::vector<Claim> claims_now() const {
    std::vector<Claim> claims;
    for (const Running* each : running_) claims.push_back(each->claim());
    return claims;
  }

  std::int64_t step_of(const std::string& token) {
    const std::lock_guard lock(mutex_);
    for (const Running* each : running_) {
      if (each->claim().token == token) return each->step_;
    }
    return 0;
  }

  // Tokens that are no longer held. A storage that is away is asked again the next time.
  std::vector<std::string> renew(std::optional<StudyStorage>& storage,
                                 const std::vector<Claim>& claims) {
    std::vector<std::string> lost;
    try {
      if (!storage && !claims.empty()) storage.emplace(hooks_.connect());
      for (const Claim& claim : claims) {
        const Impatient now(storage->database());
        if (!storage->renew(claim, lease_seconds_, step_of(claim.token)))
          lost.push_back(claim.token);
      }
    } catch (const std::exception& e) {
      log_debug(fmt::format("leases are renewed later: {}", e.what()));
    }
    return lost;
  }

  const WorkerHooks& hooks_;
  double lease_seconds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Running*> running_;  // guarded by mutex_
  bool ended_ = false;           // guarded by mutex_
  std::thread thread_;
};

// The threads of one process.
class Worker {
 public:
  Worker(const WorkerOptions& options, const WorkerHooks& hooks)
      : options_(options), hooks_(hooks), renewal_(hooks, options.terms.lease_seconds) {}

  std::int64_t run() {
    {
      std::vector<std::jthread> others;
      for (std::int64_t i = 1; i < options_.jobs; ++i) others.emplace_back([this] { work(); });
      work();
    }
    if (failure_) std::rethrow_exception(failure_);
    return ended_;
  }

 private:
  void work() {
    try {
      StudyStorage storage = hooks_.connect();
      while (const std::optional<Claim> claim = next(storage)) attempt(storage, *claim);
    } catch (...) {
      fail();
    }
  }

  // Waits while others must finish first. None at the end.
  std::optional<Claim> next(StudyStorage& storage) {
    auto wait = kShortestWait;
    const Clock::time_point began = Clock::now();
    bool said = false;
    const std::string token = fresh_token();
    for (;;) {
      check_interrupt();
      std::unique_lock lock(mutex_);
      if (failure_) return std::nullopt;
      const std::int64_t seen = ended_;
      lock.unlock();
      auto [free, claim] = storage.claim(options_.name, token, options_.terms);
      if (free == StudyStorage::Free::kNone) return std::nullopt;
      lock.lock();
      if (claim && !failure_) return std::move(*claim);
      if (claim) {  // what failed meanwhile has perhaps given back this very trial
        lock.unlock();
        release_quietly(storage, *claim, false);
        return std::nullopt;
      }
      if (!said && Clock::now() - began > kQuietWait) {
        lock.unlock();
        said = say_waiting(storage);
        lock.lock();
      }
      changed_.wait_for(lock, wait, [&] { return failure_ || ended_ != seen; });
      wait = std::min(wait * 2, std::chrono::milliseconds(kLongestWait));
    }
  }

  // Whether it said for whom this process waits: not when that is itself.
  bool say_waiting(StudyStorage& storage) const {
    const auto& records = storage.records();
    const auto theirs = std::find_if(records.begin(), records.end(), [&](const TrialRecord& each) {
      return each.phase == Phase::kRunning && each.worker != options_.name.name;
    });
    const bool is_ours = std::any_of(records.begin(), records.end(), [&](const TrialRecord& each) {
      return each.phase == Phase::kRunning && each.worker == options_.name.name;
    });
    if (theirs == records.end() || is_ours) return false;
    log_info(
        fmt::format("waiting for trial {}, which {} has; if that is dead, it is begun again "
                    "when {:.0f} s have gone without a word of it",
                    theirs->trial.number, theirs->worker, options_.terms.lease_seconds));
    return true;
  }

  // One trial, as far as it goes.
  void attempt(StudyStorage& storage, const Claim& claim) {
    Running running(claim, storage, storage.has_pruner());
    renewal_.add(running);
    try {
      Trial trial = hooks_.work(running);
      running.flush();
      finish(storage, running, std::move(trial));
    } catch (const LeaseLost&) {
      renewal_.remove(running);
      give_up(storage, running);
    } catch (const std::bad_alloc&) {
      renewal_.remove(running);
      storage.release(claim, true);
      log_warning(fmt::format("trial {} ran out of memory in attempt {} of {}", claim.number,
                              claim.attempt, options_.terms.attempts));
    } catch (...) {
      renewal_.remove(running);
      fail();
      const bool charge = !interrupted() && !is_temporary(std::current_exception());
      release_quietly(storage, claim, charge);
    }
  }

  void finish(StudyStorage& storage, Running& running, Trial trial) {
    std::optional<Decision> pruned;
    if (running.is_pruned()) pruned = running.decisions_.back();
    trial.decisions = running.decisions_;
    trial = settled(std::move(trial), running.claim().number, running.claim().point,
                    running.reports_, pruned);
    const bool counted = storage.finish(running.claim(), options_.name, trial);
    renewal_.remove(running);
    if (!counted) return say_late(running.claim());
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
    if (hooks_.progress) hooks_.progress(storage, trial);
  }

  void give_up(StudyStorage& storage, const Running& running) {
    Trial trial;
    trial.state = TrialState::kRunning;
    trial.acceptable = false;
    trial.reason = fmt::format("the lease was lost at step {}", running.step_.load());
    storage.finish(running.claim(), options_.name, trial);
    say_late(running.claim());
  }

  static void say_late(const Claim& claim) {
    log_warning(fmt::format(
        "trial {}: another worker has taken it over, so what this one has made of it is kept as a "
        "late result and does not count",
        claim.number));
  }

  // After a failure or a signal; what cannot be given back now runs out.
  static void release_quietly(StudyStorage& storage, const Claim& claim, bool charge) {
    try {
      const Impatient now(storage.database());
      storage.release(claim, charge);
    } catch (const std::exception& e) {
      log_debug(fmt::format("trial {} is not given back: {}", claim.number, e.what()));
    }
  }

  // Call inside a catch block. The first failure is reported; the others stop after it.
  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    changed_.notify_all();
  }

  const WorkerOptions& options_;
  const WorkerHooks& hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t ended_ = 0;      // guarded by mutex_
  std::exception_ptr failure_;  // guarded by mutex_
  Renewal renewal_;
};

std::int64_t work_on_study(const WorkerOptions& options, const WorkerHooks& hooks) {
  return Worker(options, hooks).run();
}

}  // namespace tcrops::tune

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/tune/study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

namespace tcrops::tune {
namespace {

void check_options(const StudyOptions& options) {
  const auto at_least = [](const char* name, std::int64_t value, std::int64_t least) {
    if (value >= least) return;
    throw Error(ExitCode::kConfiguration,
                fmt::format("study: {} must be at least {}, not {}", name, least, value));
  };
  at_least("trials", options.trials, 0);
  at_least("window", options.window, 1);
  at_least("jobs", options.jobs, 1);
}

// What `run` or `recall` gave, made to fit the trial it is for. JSON holds no NaN, so a value that
// is not finite is set to 0; it can no longer win anyway.
Trial settled(Trial trial, std::int64_t number, const Point& point) {
  trial.number = number;
  trial.point = point;
  if (!std::isfinite(trial.value)) {
    trial.acceptable = false;
    if (trial.reason.empty()) {
      trial.reason = fmt::format("the value is {}, not a finite number", trial.value);
    }
    trial.value = 0.0;
  }
  return trial;
}

// The state shared by the threads of one study. All members below the mutex are guarded by it.
class Study {
 public:
  Study(const Space& space, const StudyOptions& options, const StudyHooks& hooks)
      : space_(space), options_(options), hooks_(hooks) {}

  std::vector<Trial> run() {
    {
      const auto threads = std::min({options_.jobs, options_.window, options_.trials});
      std::vector<std::jthread> others;
      for (std::int64_t i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
      work();
    }
    if (failure_) std::rethrow_exception(failure_);
    std::vector<Trial> trials;
    trials.reserve(slots_.size());
    for (Slot& slot : slots_) trials.push_back(std::move(*slot.trial));
    return trials;
  }

 private:
  struct Slot {
    Point point;
    std::optional<Trial> trial;  // once finished
  };
  struct Task {
    std::int64_t number = 0;
    Point point;
  };

  void work() {
    while (const std::optional<Task> task = next_task()) {
      try {
        Trial trial = settled(hooks_.run(task->number, task->point), task->number, task->point);
        const std::lock_guard lock(mutex_);
        if (hooks_.keep) hooks_.keep(trial);
        finish(std::move(trial));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        fail(task->number);
      }
    }
  }

  // The next trial to run; those of an earlier process are taken over on the way. Empty at the end.
  std::optional<Task> next_task() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopped() || ready(); });
      if (stopped()) return std::nullopt;
      const std::int64_t number = std::ssize(slots_);
      try {
        check_interrupt();
        Task task{number, suggest(options_.sampler, space_, options_.seed, number, observations(),
                                  options_.tpe)};
        slots_.push_back({task.point, std::nullopt});
        Trial trial;
        if (!hooks_.recall || !hooks_.recall(number, task.point, trial)) return task;
        finish(settled(std::move(trial), number, task.point));
      } catch (...) {
        fail(number);
      }
    }
  }

  [[nodiscard]] bool stopped() const { return failure_ || std::ssize(slots_) == options_.trials; }

  // Whether everything that the next suggestion may know is known.
  [[nodiscard]] bool ready() const {
    const std::int64_t known = std::ssize(slots_) - options_.window + 1;
    for (std::int64_t i = 0; i < known; ++i) {
      if (!slots_[static_cast<std::size_t>(i)].trial) return false;
    }
    return true;
  }

  // What the next suggestion may know. A trial inside the window counts as running even when it has
  // finished: whether it has depends on the clock.
  [[nodiscard]] std::vector<Observation> observations() const {
    const std::int64_t known = std::ssize(slots_) - options_.window + 1;
    std::vector<Observation> result;
    for (std::int64_t i = 0; i < std::ssize(slots_); ++i) {
      const Slot& slot = slots_[static_cast<std::size_t>(i)];
      Observation observation{i, slot.point, i < known, true, 0.0};
      if (observation.finished) {
        observation.acceptable = slot.trial->acceptable;
        observation.value = slot.trial->value;
      }
      result.push_back(std::move(observation));
    }
    return result;
  }

  void finish(Trial trial) {
    Slot& slot = slots_[static_cast<std::size_t>(trial.number)];
    slot.trial = std::move(trial);
    ++done_;
    changed_.notify_all();
    if (hooks_.progress) hooks_.progress(*slot.trial, done_);
  }

  // Call inside a catch block. Of several failures that of the lowest trial is reported, so that
  // the message does not depend on the clock more than it must.
  void fail(std::int64_t number) {
    if (!failure_ || number < failed_number_) {
      failure_ = std::current_exception();
      failed_number_ = number;
    }
    changed_.notify_all();
  }

  const Space& space_;
  const StudyOptions& options_;
  const StudyHooks& hooks_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::int64_t done_ = 0;
  std::exception_ptr failure_;
  std::int64_t failed_number_ = 0;
};

}  // namespace

std::vector<Trial> run_study(const Space& space, const StudyOptions& options,
                             const StudyHooks& hooks) {
  check_space(space);
  check_options(options);
  return Study(space, options, hooks).run();
}

std::vector<std::int64_t> best_trials(const std::vector<Trial>& trials, std::size_t count) {
  std::vector<const Trial*> ranked;
  for (const Trial& trial : trials) {
    if (trial.acceptable && std::isfinite(trial.value)) ranked.push_back(&trial);
  }
  std::sort(ranked.begin(), ranked.end(), [](const Trial* a, const Trial* b) {
    if (a->value != b->value) return a->value > b->value;
    if (a->weights != b->weights) return a->weights < b->weights;
    return a->number < b->number;
  });
  std::vector<const Trial*> chosen;
  for (const Trial* trial : ranked) {
    if (chosen.size() == count) break;
    const bool seen = std::any_of(chosen.begin(), chosen.end(),
                                  [&](const Trial* each) { return each->point == trial->point; });
    if (!seen) chosen.push_back(trial);
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(chosen.size());
  for (const Trial* trial : chosen) numbers.push_back(trial->number);
  return numbers;
}

}  // namespace tcrops::tune

#include "engine.hpp"

#include <tcrops/core/error.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::size_t kFewRows = 64;

std::size_t rows_of(const auto& slices) {
  std::size_t rows = 0;
  for (const auto& slice : slices) rows += slice.count;
  return rows;
}

}  // namespace

Engine::Engine(std::vector<Scorer> scorers, const EngineLimits& limits, OnBatch on_batch)
    : limits_(limits), on_batch_(std::move(on_batch)), scorers_(std::move(scorers)) {
  for (const Scorer& scorer : scorers_) free_.push_back(&scorer);
}

std::optional<std::vector<stages::Answer>> Engine::answers(std::span<const data::Record> records) {
  Outcome outcome = std::move(outcomes(std::span(&records, 1)).front());
  if (outcome.fault) std::rethrow_exception(outcome.fault);
  return std::move(outcome.answers);
}

std::vector<Engine::Outcome> Engine::outcomes(
    std::span<const std::span<const data::Record>> requests) {
  Waiter waiter;
  std::vector<Job> jobs;
  jobs.reserve(requests.size());  // what waits must stay where it is
  for (const auto& records : requests) {
    Job& job = jobs.emplace_back(Job{records, &waiter, records.size()});
    if (is_for_several_batches(job)) job.answers.resize(records.size());
  }
  std::vector<Outcome> outcomes(jobs.size());
  std::vector<bool> admitted(jobs.size());
  {
    std::unique_lock lock(mutex_);
    try {
      for (std::size_t i = 0; i < jobs.size(); ++i) admitted[i] = admit(jobs[i]);
    } catch (...) {
      give_up(jobs, std::current_exception());
    }
    wait_for(waiter, jobs, lock);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i].fault = jobs[i].fault;
    if (admitted[i]) outcomes[i].answers = std::move(jobs[i].answers);
  }
  return outcomes;
}

// Whether a request may wait; one without rows need not.
bool Engine::admit(Job& job) {
  if (job.wanted == 0) return true;
  if (queued_ > 0 && queued_ + job.wanted > limits_.queue_rows) {
    job.wanted = 0;
    return false;
  }
  waiting_.push_back(&job);
  job.waits = true;
  queued_ += job.wanted;
  ++job.waiter->left;
  return true;
}

// Scores what waits, if there is a scorer for it, until the jobs are done.
void Engine::wait_for(Waiter& waiter, std::span<Job> jobs, std::unique_lock<std::mutex>& lock) {
  const auto has_rows = [](const Job& job) { return job.waits && job.taken < job.wanted; };
  while (waiter.left > 0) {
    if (!free_.empty() && std::any_of(jobs.begin(), jobs.end(), has_rows)) {
      try {
        score_next(lock);
      } catch (...) {
        give_up(jobs, std::current_exception());
      }
    } else {
      waiter.sleeps = true;
      waiter.changed.wait(lock);
      waiter.sleeps = false;
    }
  }
}

// What nobody has taken of them will not be scored.
void Engine::give_up(std::span<Job> jobs, const std::exception_ptr& fault) {
  for (Job& job : jobs) {
    if (job.taken == job.wanted) continue;
    job.fault = fault;
    if (job.waits) {
      std::erase(waiting_, &job);
      queued_ -= job.wanted - job.taken;
      if (job.done == job.taken) --job.waiter->left;
    }
    job.wanted = job.taken;
  }
}

std::size_t Engine::queued_rows() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

// The next batch, from the requests in turn: all of their rows, or of one that is too large for any
// batch a part, and then it goes to the end of the line.
std::vector<Engine::Slice> Engine::take(std::vector<Slice> slices) {
  std::size_t room = limits_.batch_rows;
  while (room > 0 && !waiting_.empty()) {
    Job* const job = waiting_.front();
    const std::size_t left = job->wanted - job->taken;
    if (left > room && !is_for_several_batches(*job)) break;
    const std::size_t count = std::min(room, left);
    if (count == left || move_to_end(job)) waiting_.pop_front();
    slices.push_back({job, job->taken, count});
    job->taken += count;
    room -= count;
    queued_ -= count;
  }
  return slices;
}

// False when there is no memory for it: then it has the next turn, too.
bool Engine::move_to_end(Job* job) {
  try {
    waiting_.push_back(job);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Scores one batch with a scorer that is free, and wakes whoever can go on after that. Throws only
// before anything is taken.
void Engine::score_next(std::unique_lock<std::mutex>& lock) {
  std::vector<Slice> slices;
  slices.reserve(waiting_.size());
  slices = take(std::move(slices));
  const Scorer* const scorer = free_.back();
  free_.pop_back();
  if (!free_.empty()) wake_one();
  lock.unlock();
  const auto begin = std::chrono::steady_clock::now();
  score(*scorer, slices);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  if (on_batch_) on_batch_({rows_of(slices), slices.size(), spent.count()});
  lock.lock();
  free_.push_back(scorer);
  for (const Slice& slice : slices) {
    Job& job = *slice.job;
    if (slice.fault) job.fault = slice.fault;
    job.done += slice.count;
    if (job.done == job.wanted && --job.waiter->left == 0) job.waiter->changed.notify_one();
  }
  wake_one();
}

// The first that waits and is not at work itself.
void Engine::wake_one() {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [](const Job* job) { return job->waiter->sleeps; });
  if (at == waiting_.end()) return;
  (*at)->waiter->sleeps = false;  // it is on its way; the next free scorer is for another
  (*at)->waiter->changed.notify_one();
}

std::vector<stages::Answer> Engine::answers_of(const Scorer& scorer,
                                               std::span<const data::Record> records) {
  auto answers = scorer(records);
  if (answers.size() != records.size())
    throw Error(ExitCode::kFailure, "a model gave another number of answers than it got rows");
  return answers;
}

// Uses the answers up.
void Engine::hand_out(std::span<stages::Answer> answers, const Slice& slice) const {
  Job& job = *slice.job;
  const auto begin = std::make_move_iterator(answers.begin());
  const auto end = std::make_move_iterator(answers.end());
  if (is_for_several_batches(job))
    std::copy(begin, end, job.answers.begin() + static_cast<std::ptrdiff_t>(slice.begin));
  else
    job.answers.assign(begin, end);
}

void Engine::score_alone(const Scorer& scorer, Slice& slice) const {
  Job& job = *slice.job;
  try {
    auto answers = answers_of(scorer, job.records.subspan(slice.begin, slice.count));
    if (is_for_several_batches(job))
      hand_out(answers, slice);
    else
      job.answers = std::move(answers);
  } catch (...) {
    slice.fault = std::current_exception();
  }
}

void Engine::score_together(const Scorer& scorer, std::span<Slice> slices) const {
  std::vector<data::Record> records;
  records.reserve(rows_of(slices));
  for (const Slice& slice : slices) {
    const auto part = slice.job->records.subspan(slice.begin, slice.count);
    records.insert(records.end(), part.begin(), part.end());
  }
  auto answers = answers_of(scorer, records);
  std::span<stages::Answer> rest = answers;
  for (const Slice& slice : slices) {
    hand_out(rest.first(slice.count), slice);
    rest = rest.subspan(slice.count);
  }
}

// Few rows are worth copying to where others are.
void Engine::score(const Scorer& scorer, std::span<Slice> slices) const {
  const auto large = std::partition(slices.begin(), slices.end(),
                                    [](const Slice& slice) { return slice.count <= kFewRows; });
  const auto few = slices.first(static_cast<std::size_t>(large - slices.begin()));
  bool are_scored = false;
  if (few.size() > 1) {
    try {
      score_together(scorer, few);
      are_scored = true;
    } catch (...) {
      // One by one, so that only those fail whose rows are at fault.
    }
  }
  for (Slice& slice : slices.subspan(are_scored ? few.size() : 0)) score_alone(scorer, slice);
}

}  // namespace tcrops::serve

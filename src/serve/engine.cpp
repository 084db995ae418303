#include "engine.hpp"

#include <tcrops/core/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tcrops::serve {
namespace {

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
  if (records.empty()) return std::vector<stages::Answer>();
  Job job;
  job.records = records;
  job.answers.resize(records.size());
  std::unique_lock lock(mutex_);
  if (queued_ > 0 && queued_ + records.size() > limits_.queue_rows) return std::nullopt;
  queued_ += records.size();
  waiting_.push_back(&job);
  while (job.done < records.size()) {
    if (job.taken < records.size() && !free_.empty()) {
      score_next(lock);
    } else {
      job.sleeps = true;
      job.changed.wait(lock);
      job.sleeps = false;
    }
  }
  lock.unlock();
  if (job.fault) std::rethrow_exception(job.fault);
  return std::move(job.answers);
}

std::size_t Engine::queued_rows() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

// The next batch, from the requests in turn. One that is not done goes to the end of the line.
std::vector<Engine::Slice> Engine::take() {
  std::vector<Slice> slices;
  std::size_t room = limits_.batch_rows;
  while (room > 0 && !waiting_.empty()) {
    Job* const job = waiting_.front();
    waiting_.pop_front();
    const std::size_t count = std::min(room, job->records.size() - job->taken);
    slices.push_back({job, job->taken, count});
    job->taken += count;
    room -= count;
    queued_ -= count;
    if (job->taken < job->records.size()) waiting_.push_back(job);
  }
  return slices;
}

// Scores one batch with a scorer that is free, and wakes whoever can go on after that.
void Engine::score_next(std::unique_lock<std::mutex>& lock) {
  const Scorer* const scorer = free_.back();
  free_.pop_back();
  const std::vector<Slice> slices = take();
  if (!free_.empty()) wake_one();
  lock.unlock();
  const auto begin = std::chrono::steady_clock::now();
  const auto faults = score(*scorer, slices);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  if (on_batch_) on_batch_({rows_of(slices), slices.size(), spent.count()});
  lock.lock();
  free_.push_back(scorer);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    Job& job = *slices[i].job;
    if (faults[i]) job.fault = faults[i];
    job.done += slices[i].count;
    if (job.done == job.records.size()) job.changed.notify_one();
  }
  wake_one();
}

// The first that waits and is not at work itself.
void Engine::wake_one() {
  const auto at =
      std::find_if(waiting_.begin(), waiting_.end(), [](const Job* job) { return job->sleeps; });
  if (at == waiting_.end()) return;
  (*at)->sleeps = false;  // it is on its way; the next free scorer is for another
  (*at)->changed.notify_one();
}

void Engine::score_alone(const Scorer& scorer, const Slice& slice) {
  Job& job = *slice.job;
  auto answers = scorer(job.records.subspan(slice.begin, slice.count));
  if (answers.size() != slice.count)
    throw Error(ExitCode::kFailure, "a model gave another number of answers than it got rows");
  std::move(answers.begin(), answers.end(),
            job.answers.begin() + static_cast<std::ptrdiff_t>(slice.begin));
}

void Engine::score_together(const Scorer& scorer, const std::vector<Slice>& slices) {
  std::vector<data::Record> records;
  records.reserve(rows_of(slices));
  for (const Slice& slice : slices) {
    const auto part = slice.job->records.subspan(slice.begin, slice.count);
    records.insert(records.end(), part.begin(), part.end());
  }
  auto answers = scorer(records);
  if (answers.size() != records.size())
    throw Error(ExitCode::kFailure, "a model gave another number of answers than it got rows");
  auto next = answers.begin();
  for (const Slice& slice : slices) {
    const auto end = next + static_cast<std::ptrdiff_t>(slice.count);
    std::move(next, end, slice.job->answers.begin() + static_cast<std::ptrdiff_t>(slice.begin));
    next = end;
  }
}

std::vector<std::exception_ptr> Engine::score(const Scorer& scorer,
                                              const std::vector<Slice>& slices) {
  std::vector<std::exception_ptr> faults(slices.size());
  if (slices.size() > 1) {
    try {
      score_together(scorer, slices);
      return faults;
    } catch (...) {
      // One by one, so that only those fail whose rows are at fault.
    }
  }
  for (std::size_t i = 0; i < slices.size(); ++i) {
    try {
      score_alone(scorer, slices[i]);
    } catch (...) {
      faults[i] = std::current_exception();
    }
  }
  return faults;
}

}  // namespace tcrops::serve

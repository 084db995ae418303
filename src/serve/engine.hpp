#pragma once

#include <tcrops/data/record.hpp>
#include <tcrops/stages/loaded_model.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace tcrops::serve {

struct EngineLimits {
  std::size_t batch_rows = 1024;
  std::size_t queue_rows = 50'000;
};

// Scores the rows of requests that come at the same time together. There are as many scorers as
// copies of a model; whoever waits for answers takes one that is free and scores what waits, its
// own rows and those of others, so that a lone request changes no thread, and a crowd makes large
// batches by itself. Requests take turns: a large one does not keep small ones waiting.
// Thread-safe.
class Engine {
 public:
  // One answer per record, the same whatever rows are scored with it. Called by one thread at a
  // time.
  using Scorer = std::function<std::vector<stages::Answer>(std::span<const data::Record>)>;
  // What was scored together.
  struct Batch {
    std::size_t rows = 0;
    std::size_t requests = 0;
    double seconds = 0.0;
  };
  using OnBatch = std::function<void(const Batch&)>;

  Engine(std::vector<Scorer> scorers, const EngineLimits& limits, OnBatch on_batch = {});
  ~Engine() = default;  // every call of answers() must have returned
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Waits for the answers, in the order of the records. Empty when so many rows wait already that
  // these do not fit; a request that finds none waiting always fits. Throws what the scorer threw
  // for these records; other requests are answered all the same.
  [[nodiscard]] std::optional<std::vector<stages::Answer>> answers(
      std::span<const data::Record> records);

  // What came of the records of one request.
  struct Outcome {
    std::optional<std::vector<stages::Answer>> answers;  // empty: they did not fit
    std::exception_ptr fault;                            // what the scorer threw for them
  };
  // The same for several requests at once: one outcome each. Throws nothing but for lack of memory.
  [[nodiscard]] std::vector<Outcome> outcomes(
      std::span<const std::span<const data::Record>> requests);

  // Rows that wait.
  [[nodiscard]] std::size_t queued_rows() const;

 private:
  // A thread that waits for answers.
  struct Waiter {
    std::size_t left = 0;             // of its jobs, not done
    std::condition_variable changed;  // they are done, or somebody should score what waits
    bool sleeps = false;              // until then
  };
  // A request that waits for its answers.
  struct Job {
    std::span<const data::Record> records;
    Waiter* waiter = nullptr;
    std::size_t wanted = 0;                 // of the records
    std::vector<stages::Answer> answers{};  // places for all of them, if for several batches
    std::size_t taken = 0;
    std::size_t done = 0;
    std::exception_ptr fault{};
    bool waits = false;  // it has been in line
  };
  struct Slice {
    Job* job = nullptr;
    std::size_t begin = 0;
    std::size_t count = 0;
    std::exception_ptr fault{};  // why it has no answers
  };

  [[nodiscard]] bool admit(Job& job);
  void wait_for(Waiter& waiter, std::span<Job> jobs, std::unique_lock<std::mutex>& lock);
  void give_up(std::span<Job> jobs, const std::exception_ptr& fault);
  void score_next(std::unique_lock<std::mutex>& lock);
  void wake_one();
  std::vector<Slice> take(std::vector<Slice> slices);
  bool move_to_end(Job* job);
  // Otherwise it is one slice.
  [[nodiscard]] bool is_for_several_batches(const Job& job) const {
    return job.records.size() > limits_.batch_rows;
  }
  [[nodiscard]] static std::vector<stages::Answer> answers_of(
      const Scorer& scorer, std::span<const data::Record> records);
  void hand_out(std::span<stages::Answer> answers, const Slice& slice) const;
  void score(const Scorer& scorer, std::span<Slice> slices) const;
  void score_alone(const Scorer& scorer, Slice& slice) const;
  void score_together(const Scorer& scorer, std::span<Slice> slices) const;

  EngineLimits limits_;
  OnBatch on_batch_;
  std::vector<Scorer> scorers_;
  mutable std::mutex mutex_;
  std::vector<const Scorer*> free_;
  std::deque<Job*> waiting_;  // with rows that nobody has taken
  std::size_t queued_ = 0;
};

}  // namespace tcrops::serve

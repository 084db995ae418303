#pragma once

#include "current_model.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/stages/loaded_model.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tcrops::serve {

// What the shadow model made of rows that the served model has answered.
struct ShadowReport {
  std::int64_t compared = 0;  // rows that both scored
  std::int64_t unscored = 0;  // rows that only one of them could score
  std::int64_t skipped = 0;   // rows that were left out, because it was behind
  std::int64_t failed = 0;    // rows of batches at which it failed
  std::int64_t other_calls = 0;
  double mean_difference = 0.0;  // of its score from the served one, with its sign
  double mean_absolute = 0.0;
  double largest = 0.0;  // without sign
};
[[nodiscard]] Json to_json(const ShadowReport& report);

// A second model that scores a copy of what the first one answers, on a thread of its own, and
// answers nobody. When it is behind, rows are left out; no request waits for it. Thread-safe.
class Shadow {
 public:
  // Called with the difference of each score, from its thread.
  using OnDifference = std::function<void(double difference)>;
  // `most_rows` may wait.
  Shadow(std::unique_ptr<CurrentModel> model, std::size_t most_rows, OnDifference on_difference);
  ~Shadow();  // rows that wait are left out
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  // `served` is the id of the model that gave the answers.
  void offer(const std::string& served, const std::vector<data::Record>& records,
             std::span<const stages::Answer> answers);

  [[nodiscard]] const CurrentModel& model() const { return *model_; }
  // Of the two versions that were compared last: with another one it begins anew.
  [[nodiscard]] ShadowReport report() const;

 private:
  struct Copy {
    std::string served;
    std::vector<data::Record> records;
    std::vector<stages::Answer> answers;
  };
  void work();
  void compare(const Copy& copy);

  std::unique_ptr<CurrentModel> model_;
  std::size_t most_rows_;
  OnDifference on_difference_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Copy> waiting_;
  std::size_t waiting_rows_ = 0;
  bool ending_ = false;
  std::string versions_;  // ids of both artifacts that the report is about
  ShadowReport report_;
  std::thread thread_;
};

}  // namespace tcrops::serve

#pragma once

#include "served_model.hpp"

#include <tcrops/store/store.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace tcrops::serve {

// The model that a reference means, as it moves. A thread of its own looks for moves, loads and
// verifies the next model beside the old one, and only then lets it answer; if that fails the old
// one goes on. Thread-safe.
class CurrentModel {
 public:
  using Load = std::function<std::shared_ptr<ServedModel>(ModelIdentity)>;
  // After a move: the model that answers now, or null when the new one could not be loaded.
  using OnSwap = std::function<void(const std::shared_ptr<ServedModel>&)>;

  // Loads the first one. Throws as `load` and identify().
  CurrentModel(const store::Store& store, std::string reference, Load load, OnSwap on_swap,
               std::chrono::milliseconds poll);
  ~CurrentModel();
  CurrentModel(const CurrentModel&) = delete;
  CurrentModel& operator=(const CurrentModel&) = delete;

  [[nodiscard]] std::shared_ptr<ServedModel> get() const;
  // Why the model that the reference means does not answer; "" when it does.
  [[nodiscard]] std::string problem() const;

 private:
  void watch();
  void look();

  const store::Store& store_;
  std::string reference_;
  Load load_;
  OnSwap on_swap_;
  std::chrono::milliseconds poll_;
  std::string stamp_;  // of what was looked at last
  std::chrono::steady_clock::time_point retry_;

  mutable std::mutex mutex_;
  std::condition_variable ending_changed_;
  bool ending_ = false;
  std::shared_ptr<ServedModel> model_;
  std::string problem_;
  std::thread watcher_;
};

}  // namespace tcrops::serve

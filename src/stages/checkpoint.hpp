#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/nn/core.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tcrops::stages {

// A training between two epochs.
struct Checkpoint {
  nn::TrainState state;
  Json history;  // as Fitted::history, one entry per epoch
};

// One safetensors file, format "tcrops.checkpoint/1": the state's tensors, "about" (JSON as U8:
// format, epoch, history, belongs_to) and "sha256" of all others written without it.
// `belongs_to` holds everything that the training depends on.
[[nodiscard]] std::string write_checkpoint(const Checkpoint& checkpoint, const Json& belongs_to);
// Throws Error (kArtifact) when a byte is not as written or it belongs to something else. `name`
// stands for the file in the message.
[[nodiscard]] Checkpoint read_checkpoint(std::string_view bytes, const Json& belongs_to,
                                         const std::string& name);

// Where the last checkpoint of one training lies.
struct CheckpointPlace {
  std::string name;   // for messages
  std::string owner;  // what the training depends on besides its parameters and seed, as a digest
  std::function<std::optional<std::string>()> load;  // its bytes, if there is one
  std::function<void(std::string_view)> save;        // replaces it at once
  std::chrono::milliseconds first_after{0};          // nothing is written earlier
};

// When to write again: so seldom that writing takes some 5 % of the time, however long an epoch is.
class WritePace {
 public:
  explicit WritePace(std::chrono::milliseconds first_after) : next_(Clock::now() + first_after) {}
  [[nodiscard]] bool due() const;
  // Calls `write` and measures it.
  void measure(const std::function<void()>& write);

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point next_;
};

}  // namespace tcrops::stages

#pragma once

#include <tcrops/nn/tensor_file.hpp>
#include <tcrops/store/store.hpp>
#include <tcrops/tune/study.hpp>

#include <vector>

namespace tcrops::stages {

// A trial with its point, value (null when not a number) and details.
[[nodiscard]] Json trial_to_json(const tune::Trial& trial);

// Finished trials of a study that has not been published yet, in its work folder: one record and
// one weights file each, so that a killed study loses only the trials that were running.
class TrialStore {
 public:
  TrialStore(store::WorkFolder work, tune::Space space);

  // Weights first, then `keep`: a record implies its weights. Thread-safe for different trials.
  void keep_weights(std::int64_t number, const std::vector<nn::Tensor>& weights) const;
  void keep(const tune::Trial& trial) const;
  // True and the trial, if it was kept for exactly this point. A damaged record counts as absent.
  bool recall(std::int64_t number, const tune::Point& point, tune::Trial& trial) const;
  [[nodiscard]] std::vector<nn::Tensor> weights(std::int64_t number) const;

 private:
  store::WorkFolder work_;
  tune::Space space_;
};

}  // namespace tcrops::stages

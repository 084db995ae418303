#pragma once

#include "calibration.hpp"
#include "dataset.hpp"
#include "ensemble.hpp"
#include "fitting.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/model_use_configuration.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// What to train: the parameters, and the seed that a study's trial had, so that what was chosen is
// what is kept, byte for byte.
struct Recipe {
  FitParameters parameters;
  std::uint64_t seed = 0;
  std::vector<FitParameters> variants;  // of each member, instead of `parameters`; may be empty
};

// Where half-done work is kept, and what it belongs to.
struct TrainPlace {
  store::WorkFolder work;
  std::string owner;  // digest of all that the training depends on besides parameters and seed
};

// Networks that were trained together, and how they did on rows that they did not see.
struct TrainedNetworks {
  Networks networks;
  double threshold = 0.5;
  Json history;   // of one network its epochs; of several [{"member", "epochs": […]}]
  Json ensemble;  // as ModelContents
  JudgedRows judged;
  std::int64_t epochs_run = 0;  // of all members
};

// One network on the train side, watched on the validation side. With `refit` it is trained again
// then, on both; what the validation rows showed stays.
[[nodiscard]] TrainedNetworks train_one(const Recipe& recipe, const Dataset& dataset,
                                        const nn::Device& device, const TrainPlace& place);

// `members` networks one after the other, each from a checkpoint of its own and not again once it
// is done. With from "seeds" and "variants" as train_one, each with a seed drawn from the recipe's.
// With "folds" training and validation rows are dealt into as many folds, no cluster of TCRs in
// two; each network is watched on one fold and trained on the others, and its fold's rows are the
// judged ones. Throws Error (kInputData) for fewer clusters than folds.
[[nodiscard]] TrainedNetworks train_ensemble(const EnsembleConfig& config, const Recipe& recipe,
                                             const Dataset& dataset, const nn::Device& device,
                                             const TrainPlace& place);

// The best models that a study kept, as they are. Fewer with a warning where it kept fewer.
[[nodiscard]] TrainedNetworks ensemble_of_study(const EnsembleConfig& config, const Recipe& recipe,
                                                const store::Store& store,
                                                const store::Artifact& study,
                                                const Dataset& dataset, const nn::Device& device);

}  // namespace tcrops::stages

#pragma once

#include "body.hpp"
#include "host.hpp"

#include <tcrops/nn/core.hpp>

#include <functional>

namespace tcrops::nn {

// What a training works with besides its examples.
struct Workshop {
  Body& body;
  const ModelSpec& spec;
  const DeviceExpansion& expansion;
  const at::Device& device;
  const Host& host;
};

// Trains the body in place, as Network::fit says. `score` gives the logits of the validation rows
// for the weights as they are (empty without such rows); it is called once after every epoch.
// `train` fits the expansion, which is on the device.
void train_body(const Workshop& workshop, const Examples& train, const TrainOptions& options,
                const std::function<std::vector<float>()>& score, const EpochCallback& after_epoch,
                const Continuation& continuation);

}  // namespace tcrops::nn

#include "torch_network.hpp"

#include "edge.hpp"
#include "layers.hpp"
#include "trainer.hpp"
#include "training.hpp"

namespace tcrops::nn {
namespace {

struct ForgetAtEnd {
  std::optional<InferenceNet>& frozen;
  ~ForgetAtEnd() { frozen.reset(); }
};

}  // namespace

TorchNetwork::TorchNetwork(ModelSpec spec, torch::nn::Sequential layers, const at::Device& device,
                           const Host& host)
    : spec_(std::move(spec)), layers_(std::move(layers)), device_(device), host_(host) {
  layers_->to(device_);
  layers_->eval();
}

InferenceNet TorchNetwork::freeze() const { return {spec_, layers_, device_, host_.block_rows}; }

std::vector<Tensor> TorchNetwork::weights() const {
  return at_edge("reading the weights", [this] { return export_state(layers_); });
}

std::vector<float> TorchNetwork::logits(std::span<const float> features) const {
  return at_edge("scoring", [this, features] {
    if (!frozen_) frozen_.emplace(freeze());
    return frozen_->logits(features);
  });
}

void TorchNetwork::fit(const Examples& train, const Examples& validation,
                       const TrainOptions& options, const EpochCallback& after_epoch,
                       const Continuation& continuation) {
  // However the training ends, the weights are others than those frozen before or during it.
  const ForgetAtEnd forget{frozen_};
  at_edge("training", [&] {
    const auto score = [&]() -> std::vector<float> {
      frozen_.reset();
      if (validation.labels.empty()) return {};
      return logits(validation.features);
    };
    train_layers(layers_, device_, host_, train, validation, options, score, after_epoch,
                 continuation);
  });
}

void TorchNetwork::check_state(const TrainState& state) const {
  at_edge("checking a training state", [&] { check_train_state(layers_, state); });
}

}  // namespace tcrops::nn

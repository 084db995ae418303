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

void check_examples(const data::Expansion& expansion, const Examples& examples) {
  if (examples.rows == nullptr || examples.rows->rows != examples.labels.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("training: {} labels for {} rows", examples.labels.size(),
                            examples.rows == nullptr ? 0 : examples.rows->rows));
  }
  if (!examples.labels.empty()) data::check_rows(expansion, *examples.rows, 0, examples.rows->rows);
}

}  // namespace

TorchNetwork::TorchNetwork(ModelSpec spec, data::Expansion expansion, torch::nn::Sequential layers,
                           const at::Device& device, const Host& host)
    : spec_(std::move(spec)),
      expansion_(std::move(expansion)),
      layers_(std::move(layers)),
      device_(device),
      on_device_(expansion_, device),
      host_(host) {
  layers_->to(device_);
  layers_->eval();
}

InferenceNet TorchNetwork::freeze() const { return {spec_, layers_, device_, host_.block_rows}; }

std::vector<Tensor> TorchNetwork::weights() const {
  return at_edge("reading the weights", [this] { return export_state(layers_); });
}

std::vector<float> TorchNetwork::logits(const data::EncodedRows& rows) const {
  return at_edge("scoring", [&]() -> std::vector<float> {
    if (rows.rows == 0) return {};
    data::check_rows(expansion_, rows, 0, rows.rows);
    if (!frozen_) frozen_.emplace(freeze());
    return frozen_->logits(on_device_, rows);
  });
}

void TorchNetwork::fit(const Examples& train, const Examples& validation,
                       const TrainOptions& options, const EpochCallback& after_epoch,
                       const Continuation& continuation) {
  // However the training ends, the weights are others than those frozen before or during it.
  const ForgetAtEnd forget{frozen_};
  at_edge("training", [&] {
    check_examples(expansion_, train);
    if (!validation.labels.empty()) check_examples(expansion_, validation);
    const auto score = [&]() -> std::vector<float> {
      frozen_.reset();
      if (validation.labels.empty()) return {};
      return logits(*validation.rows);
    };
    train_layers(layers_, on_device_, device_, host_, train, options, score, after_epoch,
                 continuation);
  });
}

void TorchNetwork::check_state(const TrainState& state) const {
  at_edge("checking a training state", [&] { check_train_state(layers_, state); });
}

}  // namespace tcrops::nn

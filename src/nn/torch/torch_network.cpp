#include "torch_network.hpp"

#include "attribution.hpp"
#include "edge.hpp"
#include "state.hpp"
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

TorchNetwork::TorchNetwork(ModelSpec spec, data::Expansion expansion, std::shared_ptr<Body> body,
                           const at::Device& device, const Host& host)
    : spec_(std::move(spec)),
      expansion_(std::move(expansion)),
      body_(std::move(body)),
      device_(device),
      on_device_(expansion_, device),
      host_(host) {
  body_->to(device_);
  body_->eval();
}

std::vector<Tensor> TorchNetwork::weights() const {
  return at_edge("reading the weights", [this] { return export_state(*body_); });
}

std::int64_t TorchNetwork::trained_numbers() const {
  std::int64_t sum = 0;
  for (const at::Tensor& parameter : body_->parameters()) sum += parameter.numel();
  return sum;
}

std::vector<float> TorchNetwork::logits(const data::EncodedRows& rows) const {
  return at_edge("scoring", [&]() -> std::vector<float> {
    if (rows.rows == 0) return {};
    if (!frozen_) frozen_.emplace(spec_, *body_, expansion_, device_, host_.block_rows);
    return frozen_->logits(on_device_, rows);
  });
}

Attributions TorchNetwork::attributions(const data::EncodedRows& rows, std::int64_t steps) const {
  return at_edge("explaining", [&]() -> Attributions {
    if (rows.rows == 0) return {};
    data::check_rows(expansion_, rows, 0, rows.rows);
    return integrated_gradients(*body_, spec_, expansion_, on_device_, device_, rows, steps);
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
    InferenceNet::Kept kept;
    const auto score = [&]() -> std::vector<float> {
      frozen_.reset();
      if (validation.labels.empty()) return {};
      frozen_.emplace(spec_, *body_, expansion_, device_, host_.block_rows);
      return frozen_->logits(on_device_, *validation.rows, &kept);
    };
    train_body({*body_, spec_, on_device_, device_, host_}, train, options, score, after_epoch,
               continuation);
  });
}

void TorchNetwork::check_state(const TrainState& state, const OptimiserOptions& options) const {
  at_edge("checking a training state", [&] { check_train_state(*body_, state, options); });
}

}  // namespace tcrops::nn

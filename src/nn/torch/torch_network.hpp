#pragma once

#include "body.hpp"
#include "host.hpp"
#include "inference_net.hpp"

#include <tcrops/nn/core.hpp>

#include <memory>
#include <optional>

namespace tcrops::nn {

class TorchNetwork : public Network {
 public:
  TorchNetwork(ModelSpec spec, data::Expansion expansion, std::shared_ptr<Body> body,
               const at::Device& device, const Host& host);

  [[nodiscard]] const ModelSpec& spec() const override { return spec_; }
  [[nodiscard]] std::vector<Tensor> weights() const override;
  [[nodiscard]] std::vector<float> logits(const data::EncodedRows& rows) const override;
  void fit(const Examples& train, const Examples& validation, const TrainOptions& options,
           const EpochCallback& after_epoch, const Continuation& continuation) override;
  void check_state(const TrainState& state, const OptimiserOptions& options) const override;
  [[nodiscard]] std::int64_t trained_numbers() const override;
  [[nodiscard]] Attributions attributions(const data::EncodedRows& rows,
                                          std::int64_t steps) const override;

 private:
  ModelSpec spec_;
  data::Expansion expansion_;
  std::shared_ptr<Body> body_;
  at::Device device_;
  DeviceExpansion on_device_;
  Host host_;
  // Made when first needed, dropped when the weights change.
  mutable std::optional<InferenceNet> frozen_;
};

}  // namespace tcrops::nn

#include "trainer.hpp"

#include "balanced_sampler.hpp"
#include "training.hpp"

#include <cmath>

namespace tcrops::nn {
namespace {

// The training set on the device: codes, not features.
struct DeviceExamples {
  DeviceRows rows;
  at::Tensor labels;  // [rows] float
};

DeviceExamples examples_on_device(const Examples& examples, const at::Device& device) {
  const auto rows = static_cast<std::int64_t>(examples.labels.size());
  // from_blob has no const form; nothing writes to it, and the rows outlive the training.
  auto* labels = const_cast<std::uint8_t*>(examples.labels.data());
  return {to_device(*examples.rows, 0, rows, device),
          at::from_blob(labels, {rows}, at::TensorOptions().dtype(at::kByte))
              .to(at::kFloat)
              .to(device)};
}

at::Tensor to_indices(std::vector<std::int64_t> rows, const at::Device& device) {
  return at::from_blob(rows.data(), {static_cast<std::int64_t>(rows.size())},
                       at::TensorOptions().dtype(at::kLong))
      .clone()
      .to(device);
}

// One pass. Returns the mean loss; reads it from the device once, at the end.
double train_epoch(Training& training, const DeviceExpansion& expansion, const Host& host,
                   const DeviceExamples& data, const at::Tensor& order, std::int64_t batch_size) {
  torch::nn::Sequential& layers = training.layers();
  torch::optim::Adam& adam = training.adam();
  layers->train();
  const std::vector<BatchRange> batches = cut_batches(order.size(0), batch_size);
  at::Tensor total = at::zeros({}, data.labels.options().dtype(at::kDouble));
  for (const BatchRange& batch : batches) {
    host.check_interrupt();
    const at::Tensor rows = order.slice(0, batch.begin, batch.end);
    const at::Tensor target = data.labels.index_select(0, rows);
    adam.zero_grad();
    const at::Tensor output =
        layers->forward(expansion.features(select(data.rows, rows))).squeeze(1);
    const at::Tensor loss = torch::nn::functional::binary_cross_entropy_with_logits(output, target);
    loss.backward();
    adam.step();
    total += loss.detach();
  }
  layers->eval();
  return total.item<double>() / static_cast<double>(batches.size());
}

}  // namespace

void train_layers(torch::nn::Sequential& layers, const DeviceExpansion& expansion,
                  const at::Device& device, const Host& host, const Examples& train,
                  const TrainOptions& options, const std::function<std::vector<float>()>& score,
                  const EpochCallback& after_epoch, const Continuation& continuation) {
  const BalancedSampler sampler(train.labels);
  Training training(layers, options.learning_rate);
  if (continuation.from != nullptr) training.import_state(*continuation.from);
  const DeviceExamples data = examples_on_device(train, device);
  const std::int64_t first = continuation.from == nullptr ? 1 : continuation.from->epoch + 1;
  for (std::int64_t epoch = first; epoch <= options.epochs; ++epoch) {
    const at::Tensor order = to_indices(sampler.epoch_rows(options.seed, epoch), device);
    const double loss = train_epoch(training, expansion, host, data, order, options.batch_size);
    const std::vector<float> validation_logits = score();
    const EpochDecision decision =
        after_epoch ? after_epoch({epoch, loss, validation_logits}) : EpochDecision{};
    if (!std::isfinite(loss)) break;
    if (decision.keep) training.keep_weights();
    if (decision.stop) break;
    if (continuation.offer && epoch < options.epochs)
      continuation.offer([&] { return training.export_state(epoch); });
  }
  training.restore_kept_weights();
}

}  // namespace tcrops::nn

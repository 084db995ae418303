#include "trainer.hpp"

#include "balanced_sampler.hpp"
#include "training.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::nn {
namespace {

void check_sizes(const Examples& examples, std::int64_t width) {
  const bool fits =
      examples.width == width &&
      examples.features.size() == examples.labels.size() * static_cast<std::size_t>(width);
  if (!fits) {
    throw Error(
        ExitCode::kFailure,
        fmt::format(
            "training: {} values and {} labels of width {} do not fit a network with {} inputs",
            examples.features.size(), examples.labels.size(), examples.width, width));
  }
}

// The rows on the device.
struct DeviceExamples {
  at::Tensor features;  // [rows, width] float
  at::Tensor labels;    // [rows] float
};

DeviceExamples to_device(const Examples& examples, const at::Device& device) {
  const auto rows = static_cast<std::int64_t>(examples.labels.size());
  // from_blob has no const form; nothing writes to it, and the rows outlive the training.
  auto* features = const_cast<float*>(examples.features.data());
  auto* labels = const_cast<std::uint8_t*>(examples.labels.data());
  return {at::from_blob(features, {rows, examples.width}, at::TensorOptions().dtype(at::kFloat))
              .to(device),
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
double train_epoch(Training& training, const Host& host, const DeviceExamples& data,
                   const at::Tensor& order, std::int64_t batch_size) {
  torch::nn::Sequential& layers = training.layers();
  torch::optim::Adam& adam = training.adam();
  layers->train();
  const std::vector<BatchRange> batches = cut_batches(order.size(0), batch_size);
  at::Tensor total = at::zeros({}, data.features.options().dtype(at::kDouble));
  for (const BatchRange& batch : batches) {
    host.check_interrupt();
    const at::Tensor rows = order.slice(0, batch.begin, batch.end);
    const at::Tensor target = data.labels.index_select(0, rows);
    adam.zero_grad();
    const at::Tensor output = layers->forward(data.features.index_select(0, rows)).squeeze(1);
    const at::Tensor loss = torch::nn::functional::binary_cross_entropy_with_logits(output, target);
    loss.backward();
    adam.step();
    total += loss.detach();
  }
  layers->eval();
  return total.item<double>() / static_cast<double>(batches.size());
}

}  // namespace

void train_layers(torch::nn::Sequential& layers, const at::Device& device, const Host& host,
                  const Examples& train, const Examples& validation, const TrainOptions& options,
                  const std::function<std::vector<float>()>& score,
                  const EpochCallback& after_epoch, const Continuation& continuation) {
  const std::int64_t width = layers->parameters().front().size(1);
  check_sizes(train, width);
  if (!validation.labels.empty()) check_sizes(validation, width);
  const BalancedSampler sampler(train.labels);
  Training training(layers, options.learning_rate);
  if (continuation.from != nullptr) training.import_state(*continuation.from);
  const DeviceExamples data = to_device(train, device);
  const std::int64_t first = continuation.from == nullptr ? 1 : continuation.from->epoch + 1;
  for (std::int64_t epoch = first; epoch <= options.epochs; ++epoch) {
    const at::Tensor order = to_indices(sampler.epoch_rows(options.seed, epoch), device);
    const double loss = train_epoch(training, host, data, order, options.batch_size);
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

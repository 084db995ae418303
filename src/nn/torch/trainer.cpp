#include "trainer.hpp"

#include "heads.hpp"
#include "loss.hpp"
#include "plain_pass.hpp"
#include "training.hpp"
#include "training_set.hpp"

#include <tcrops/core/rng.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <cmath>
#include <optional>

namespace tcrops::nn {
namespace {

// What dropout draws from in one epoch.
at::Generator generator_of(const at::Device& device, std::uint64_t seed, std::int64_t epoch) {
  const std::uint64_t own = Rng(seed, "dropout", static_cast<std::uint64_t>(epoch)).next64();
  if (!device.is_cuda()) return at::detail::createCPUGenerator(own);
  at::Generator generator = at::detail::getCUDAHooks().getDefaultCUDAGenerator(device.index());
  generator.set_current_seed(own);
  return generator;
}

at::Tensor outputs_of(const Batch& batch, const Workshop& workshop, const Pass& pass,
                      std::optional<PlainPass>& plain) {
  if (batch.fixed.defined()) {
    if (plain) return plain->forward(batch.fixed);
    return workshop.body.forward_from(batch.fixed, workshop.expansion, pass);
  }
  const Features features = workshop.body.reader().read(workshop.expansion, batch.rows);
  if (plain) return plain->forward(features.flat);
  return workshop.body.forward(features, workshop.expansion, pass);
}

at::Tensor loss_of(const at::Tensor& outputs, const Batch& batch, const Workshop& workshop,
                   const TrainOptions& options) {
  if (batch.shares.defined()) return softmax_loss(outputs, batch.shares, options.loss);
  at::Tensor logits = logits_of_heads(outputs, workshop.spec);
  if (!batch.places.defined())
    return mean_loss(logits.squeeze(1), batch.labels, batch.weights, options.loss);
  logits = logits.flatten();
  const at::Tensor loss =
      mean_loss(logits.index_select(0, batch.places), batch.labels, batch.weights, options.loss);
  if (!batch.missing.defined()) return loss;
  const at::Tensor negative = at::zeros({batch.missing.size(0)}, batch.labels.options());
  const double weight = options.missing_pairs * static_cast<double>(batch.missing.size(0)) /
                        static_cast<double>(batch.labels.size(0));
  return loss +
         mean_loss(logits.index_select(0, batch.missing), negative, at::Tensor(), options.loss) *
             weight;
}

// One pass. Returns the mean loss; reads it from the device once, at the end.
double train_epoch(Training& training, const Workshop& workshop, const TrainingSet& set,
                   std::int64_t number, const TrainOptions& options,
                   std::optional<PlainPass>& plain) {
  workshop.body.train();
  const Pass pass{generator_of(workshop.device, options.seed, number)};
  const TrainingSet::Epoch epoch = set.epoch(number);
  const auto steps = static_cast<double>(epoch.steps.size());
  at::Tensor total = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(workshop.device));
  const std::int64_t planned =
      options.schedule_epochs == 0 ? options.epochs : options.schedule_epochs;
  double done = 0.5;  // the middle of a step stands for it
  for (const BatchRange& step : epoch.steps) {
    workshop.host.check_interrupt();
    training.optimiser().zero_gradients();
    const Batch batch = set.batch(epoch, step);
    const at::Tensor loss =
        loss_of(outputs_of(batch, workshop, pass, plain), batch, workshop, options);
    loss.backward();
    if (plain) plain->backward();
    const double past = static_cast<double>(number - 1) + done / steps;
    training.optimiser().step(options.learning_rate *
                              learning_rate_factor(options.optimiser, past, planned));
    total += loss.detach();
    done += 1.0;
  }
  workshop.body.eval();
  return total.item<double>() / steps;
}

}  // namespace

void train_body(const Workshop& workshop, const Examples& train, const TrainOptions& options,
                const std::function<std::vector<float>()>& score, const EpochCallback& after_epoch,
                const Continuation& continuation) {
  const TrainingSet set(train, workshop.body, workshop.expansion, workshop.spec, options,
                        workshop.device);
  Training training(workshop.body, options.optimiser);
  if (continuation.from != nullptr) training.import_state(*continuation.from);
  std::optional<PlainPass> plain;
  if (const FeedForward* all = workshop.body.plain()) plain = PlainPass::of(*all, workshop.device);
  const std::int64_t first = continuation.from == nullptr ? 1 : continuation.from->epoch + 1;
  for (std::int64_t epoch = first; epoch <= options.epochs; ++epoch) {
    const double loss = train_epoch(training, workshop, set, epoch, options, plain);
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

#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/expansion.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/nn/tensor_file.hpp>
#include <tcrops/nn/train_options.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tcrops::nn {

// Rows of one side of a dataset, as the network's expansion reads them; one label per row.
struct Examples {
  const data::EncodedRows* rows = nullptr;  // null: none
  std::span<const std::uint8_t> labels;
  // Rows that are not trained on, whose pairs are not missing (TrainOptions::missing_pairs); null:
  // none.
  const data::EncodedRows* elsewhere = nullptr;
};

// Rows that some architectures are built upon. They become part of the network, as encoded.
struct Foundation {
  data::EncodedRows anchors;   // kernel_mlp: TCRs
  data::EncodedRows epitopes;  // per-epitope heads: a row with each head's epitope, in their order
};

struct EpochReport {
  std::int64_t epoch = 0;                    // from 1
  double train_loss = 0.0;                   // mean over the epoch's batches
  std::span<const float> validation_logits;  // empty when no validation rows were given
};

// What to do after an epoch.
struct EpochDecision {
  bool stop = false;
  bool keep = false;  // remember the weights as they are now; the last kept ones win at the end
};
using EpochCallback = std::function<EpochDecision(const EpochReport&)>;

// All that changes while a network is trained, as it is between two epochs. Only nn looks into the
// tensors: "step", then per parameter what the optimiser remembers of it ("exp_avg.<name>" and the
// like), then "weights.<name>", and "kept.<name>" when weights were kept.
struct TrainState {
  std::int64_t epoch = 0;  // the last one that is in it
  std::vector<Tensor> tensors;
};

// How a training can be cut off and continued.
struct Continuation {
  // Begin after this state; null: at the beginning. The rest is then trained bit for bit as if
  // nothing had happened in between, given the same examples and options.
  const TrainState* from = nullptr;
  // Called after an epoch whose decision has been applied, unless the training ends with it.
  // `state` copies the state when it is called, and only then; it is valid during the call.
  std::function<void(const std::function<TrainState()>& state)> offer;
};

// Integrated gradients of the rows' logits (Sundararajan et al., ICML 2017).
struct Attributions {
  // Per feature (input - baseline) times the mean gradient at `steps` midpoints of the straight
  // line from the baseline, summed over what one code column or number column makes: [rows,
  // code_width + number_width], row-major. A row's sum is its logit minus the baseline's, but for
  // the error of the mean. NaN for an epitope without a head.
  std::vector<float> values;
  // Logit of each row's baseline: zeros as features, in the places that the row has.
  std::vector<float> baselines;
};

// A network with its weights. Not thread-safe; different networks may be used at the same time.
class Network {
 public:
  virtual ~Network() = default;
  [[nodiscard]] virtual const ModelSpec& spec() const = 0;
  // Weights, running statistics and what the network was founded on, in its own order; those of an
  // mlp named as PyTorch's Sequential would name them ("0.weight", "1.running_mean", …).
  [[nodiscard]] virtual std::vector<Tensor> weights() const = 0;
  // One logit per row. Rows become features on the device, a block at a time, the same as
  // by data::expand, bit for bit. On the CPU a row's
  // logit is the same, bit for bit, whatever rows are scored with it. Batch normalisation is folded
  // into the layer before it, so the logits of a plain evaluation by PyTorch differ in the last
  // digits. NaN for an epitope that has no head. Throws Error (kArtifact) for rows that do not fit
  // the expansion.
  [[nodiscard]] virtual std::vector<float> logits(const data::EncodedRows& rows) const = 0;
  // The device holds the rows as codes and expands them a batch at a time.
  // Every batch has at least 2 rows. Same arguments, same bytes. A train_loss that is not finite is
  // reported once, its weights are never kept, and it ends the training. An error, also one of the
  // callback or a signal, leaves the weights of that moment. Throws Error (kInputData) when the
  // training rows lack one class or hold an epitope without a head, (kConfiguration) for options
  // that this network cannot have, and as logits() and check_state() do.
  virtual void fit(const Examples& train, const Examples& validation, const TrainOptions& options,
                   const EpochCallback& after_epoch, const Continuation& continuation = {}) = 0;
  // Throws Error (kArtifact) unless the state has exactly the tensors that training this network
  // with these options has, in names, types and shapes. It cannot tell whose numbers they are.
  virtual void check_state(const TrainState& state, const OptimiserOptions& options) const = 0;
  // How many numbers training changes.
  [[nodiscard]] virtual std::int64_t trained_numbers() const = 0;
  // What each place of each row adds to its logit, from `steps` points between nothing and the row.
  // Throws as logits().
  [[nodiscard]] virtual Attributions attributions(const data::EncodedRows& rows,
                                                  std::int64_t steps) const = 0;
};

// What computes the products on the processor.
struct ProductSpeed {
  std::string file;     // the library that is called; "" when the system does not say
  double gflops = 0.0;  // 10^9 operations per second on one thread, of a product as training has it
};

// The LibTorch side, opened on first use. Every exception that leaves it is a tcrops::Error.
class Core {
 public:
  virtual ~Core() = default;
  // Fresh weights as PyTorch initialises them, drawn from our own generator. The network keeps a
  // copy of the expansion, on the device. Throws Error (kArtifact) when that gives another number
  // of features than the network takes, (kFailure) when the foundation is not what the spec asks
  // for.
  [[nodiscard]] virtual std::unique_ptr<Network> create(const ModelSpec& spec,
                                                        const data::Expansion& expansion,
                                                        const Foundation& foundation,
                                                        std::uint64_t seed,
                                                        const Device& device) = 0;
  // The same with these weights. Checks names, types and shapes against the spec; throws Error
  // (kArtifact) on any difference.
  [[nodiscard]] virtual std::unique_ptr<Network> load(const ModelSpec& spec,
                                                      const data::Expansion& expansion,
                                                      std::span<const Tensor> weights,
                                                      const Device& device) = 0;
  // {"libtorch": version, "blas": library and kernel, "cuda": version or null, "threads": n}
  [[nodiscard]] virtual Json describe() const = 0;
  // Multiplies for about 0.2 s.
  [[nodiscard]] virtual ProductSpeed measure_products() const = 0;
};

// Opens the shared object that holds LibTorch (beside the program, or ../lib/tcrops/) and returns
// its core; later calls return the same one. Sets one arithmetic thread per caller, and the kernel
// that belongs to backend_class(), by changing the environment before it loads: call it before
// other threads read the environment. Thread-safe otherwise. Throws Error (kFailure) that says
// which file is missing.
[[nodiscard]] Core& core();

}  // namespace tcrops::nn

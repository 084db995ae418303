#pragma once

#include "balanced_sampler.hpp"
#include "body.hpp"
#include "row_groups.hpp"

#include <tcrops/nn/core.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace tcrops::nn {

// The rows of one step, on the device.
struct Batch {
  DeviceRows rows;     // what goes through the network,
  at::Tensor fixed;    // or, when it is defined, what Body::fixed_part has made of that
  at::Tensor labels;   // of the logits that the loss looks at
  at::Tensor weights;  // likewise; undefined: all 1
  // Where those logits stand in what comes out, as numbers of [rows, heads] flattened; undefined
  // without heads: then there is one per row.
  at::Tensor places;
  at::Tensor missing;  // likewise of the pairs without a row; undefined: none count
  at::Tensor shares;   // "softmax": target shares, [rows, outputs], instead of labels and places
};

// The training rows on the device, and how an epoch goes through them.
class TrainingSet {
 public:
  // Throws Error (kInputData) for a class that is missing or a row without a head, (kConfiguration)
  // for options that do not go together.
  TrainingSet(const Examples& examples, Body& body, const DeviceExpansion& expansion,
              const ModelSpec& spec, const TrainOptions& options, const at::Device& device);

  // The steps of an epoch: the same arguments, the same steps.
  struct Epoch {
    std::vector<std::int64_t> order;  // of rows, or of groups of rows
    std::vector<BatchRange> steps;
  };
  [[nodiscard]] Epoch epoch(std::int64_t number) const;
  [[nodiscard]] Batch batch(const Epoch& epoch, const BatchRange& step) const;

 private:
  [[nodiscard]] Batch batch_of_rows(const std::vector<std::int64_t>& rows) const;
  [[nodiscard]] Batch batch_of_groups(const std::vector<std::int64_t>& groups) const;
  [[nodiscard]] std::vector<float> shares_of(const std::vector<std::int64_t>& groups) const;
  void add_targets(const std::vector<std::int64_t>& groups, Batch& batch) const;
  void find_heads(const data::EncodedRows& rows, const Body& body);
  void fix_features(const Examples& examples, const Body& body, const DeviceExpansion& expansion);
  void fix(const Examples& examples, Body& body, const DeviceExpansion& expansion);
  void add_inputs(const std::vector<std::int64_t>& rows, Batch& batch) const;
  void group(const Examples& examples, const Body& body);
  void find_missing(const Examples& examples, const Body& body);
  [[nodiscard]] at::Tensor to_device(const std::vector<std::int64_t>& numbers) const;

  const TrainOptions& options_;
  at::Device device_;
  const ModelSpec& spec_;
  std::int64_t heads_count_;  // logits of each row
  std::int64_t outputs_;
  std::optional<BalancedSampler> sampler_;
  std::vector<std::uint8_t> labels_of_;  // on the host
  std::vector<std::int64_t> heads_of_;   // likewise, empty without heads
  std::optional<RowGroups> groups_;
  std::vector<std::vector<std::int64_t>> missing_;  // heads, of each group; empty: none count
  DeviceRows rows_;
  at::Tensor fixed_;                    // [different rows, n]; undefined: nothing is fixed
  std::vector<std::int64_t> fixed_of_;  // the row of that for each row
  at::Tensor labels_;
  at::Tensor weights_;
};

}  // namespace tcrops::nn

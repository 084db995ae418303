#pragma once

#include "body.hpp"
#include "feed_forward.hpp"
#include "folded_network.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace tcrops::nn {

// A network as it is for scoring. Of a plain feed-forward network it is a copy, with batch
// normalisation folded into the linear layer before it, in double precision, which on the CPU
// scores without LibTorch (FoldedNetwork). Of another it refers to the body, and rows are scored in
// blocks of a fixed size, the last one filled up with rows of gaps, and with one row per column
// wherever they are multiplied. Either way the logit of a row on the CPU is the same, bit for bit,
// whatever rows are scored with it (see block_rows in core_loader.cpp).
class InferenceNet {
 public:
  InferenceNet(const ModelSpec& spec, Body& body, const data::Expansion& expansion,
               const at::Device& device, std::int64_t block_rows);

  // What no training changes of the blocks of some rows (Body::fixed_part), for scoring them again.
  using Kept = std::vector<at::Tensor>;

  // One logit per row; `expansion` is on the network's device. Throws as data::check_rows. With
  // `kept`, which is empty at first and then given again with the same rows, less is computed
  // again; the bits are the same.
  [[nodiscard]] std::vector<float> logits(const DeviceExpansion& expansion,
                                          const data::EncodedRows& rows,
                                          Kept* kept = nullptr) const;

 private:
  struct Layer {
    at::Tensor weight;  // [outputs, inputs]
    at::Tensor bias;    // [outputs, 1]
  };
  void fold(const FeedForward& feed_forward);
  void fold_for_cpu();
  [[nodiscard]] std::vector<float> logits_on_cpu(const data::EncodedRows& rows) const;
  [[nodiscard]] at::Tensor score_folded(const at::Tensor& rows) const;
  // Each TCR goes through the network once.
  [[nodiscard]] std::vector<float> logits_by_head(const DeviceExpansion& expansion,
                                                  const data::EncodedRows& rows, Kept* kept) const;
  // Calls take(first row, rows, logits) for each block; logits [at least rows, heads or 1], on the
  // CPU.
  template <class Take>
  void score(const DeviceExpansion& expansion, const data::EncodedRows& rows, Kept* kept,
             Take&& take) const;
  [[nodiscard]] at::Tensor score_block(const DeviceExpansion& expansion,
                                       const DeviceRows& rows) const;
  // Rows from `begin` on, filled up to a block.
  [[nodiscard]] DeviceRows block_of(const data::EncodedRows& rows, std::int64_t begin) const;
  [[nodiscard]] Kept fixed_parts(const DeviceExpansion& expansion,
                                 const data::EncodedRows& rows) const;

  const ModelSpec& spec_;
  Body& body_;
  const data::Expansion& expansion_;
  std::vector<Layer> layers_;                    // empty: the body scores
  mutable std::optional<FoldedNetwork> folded_;  // of the layers, on the CPU
  mutable std::vector<float> features_;          // of a block of rows on their way into it
  at::Device device_;
  std::int64_t block_rows_;
};

}  // namespace tcrops::nn

#pragma once

#include "feed_forward.hpp"
#include "layer_passes.hpp"
#include "prelude.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tcrops::nn {

// Forward and backward pass, in training on the CPU, of a feed-forward network that is all there
// is: LibTorch multiplies matrices, layer_passes.hpp does the rest. Features stand in rows, a
// batch's rows side by side: [width, rows]. What it computes is what LibTorch's own layers would,
// but for rounding; and the bias before a normalisation, which changes nothing, has the gradient 0.
class PlainPass {
 public:
  // None where this cannot be done: dropout, layer normalisation, other activations, a card.
  [[nodiscard]] static std::optional<PlainPass> of(const FeedForward& feed_forward,
                                                   const at::Device& device);

  // [rows, inputs] -> [rows, 1], a leaf whose gradient backward() starts from. Changes the running
  // statistics as training does.
  [[nodiscard]] at::Tensor forward(const at::Tensor& rows);
  // Gives every weight its gradient.
  void backward();

 private:
  struct Step {
    at::Tensor values;    // [width, rows]: standardised, or nothing
    at::Tensor out;       // [width, rows]: activated
    at::Tensor gradient;  // [width, rows]
    std::vector<double> variances;
  };
  PlainPass(const FeedForward& feed_forward, FusedActivation activation)
      : feed_forward_(&feed_forward), activation_(activation) {}
  void make_room(std::int64_t rows);
  void normalise(const FeedForward::Layer& layer, Step& step) const;
  void back_through(const FeedForward::Layer& layer, Step& step) const;

  const FeedForward* feed_forward_;
  FusedActivation activation_;
  std::int64_t rows_ = 0;
  at::Tensor input_;  // [inputs, rows]
  at::Tensor logits_;
  std::vector<Step> steps_;  // of all layers but the last
};

}  // namespace tcrops::nn

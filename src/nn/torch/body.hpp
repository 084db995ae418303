#pragma once

#include "features.hpp"
#include "pass.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/nn/core.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tcrops::nn {

// The layers of one architecture, with all of their weights.
class Body : public torch::nn::Module {
 public:
  Body(const ModelSpec& spec, const data::Expansion& expansion);

  [[nodiscard]] const FeatureReader& reader() const { return reader_; }
  // [rows, outputs]: one number, or one per head (see ModelSpec::outputs). The features are those
  // that the reader has read, on the device of expansion and weights.
  [[nodiscard]] virtual at::Tensor forward(const Features& features,
                                           const DeviceExpansion& expansion, const Pass& pass) = 0;
  // What of forward(), for training or for scoring, no training changes, if anything, as [rows, n];
  // undefined: nothing. Then forward_from() does the rest.
  [[nodiscard]] virtual at::Tensor fixed_part(const Features& /*features*/,
                                              const DeviceExpansion& /*expansion*/,
                                              bool /*training*/) {
    return {};
  }
  [[nodiscard]] virtual at::Tensor forward_from(const at::Tensor& fixed,
                                                const DeviceExpansion& /*expansion*/,
                                                const Pass& /*pass*/) {
    return fixed;
  }
  // The one feed-forward part that is all there is; null when there is more.
  [[nodiscard]] virtual const class FeedForward* plain() const { return nullptr; }
  // Fresh weights of what is not a linear layer, an embedding or a normalisation.
  virtual void initialise_own(Rng& /*rng*/) {}
  // Takes the rows that the architecture is built upon, as codes on the CPU.
  virtual void found_on(const data::EncodedRows& /*anchors*/) {}

  // Codes of the heads' epitopes, [heads, code_width]; undefined without heads.
  [[nodiscard]] const at::Tensor& head_codes() const { return head_codes_; }
  // For each row the number of the head that has its epitope; -1: none.
  [[nodiscard]] std::vector<std::int64_t> heads_of(const data::EncodedRows& rows) const;

 private:
  FeatureReader reader_;
  at::Tensor head_codes_;
  data::Expansion::Segment epitope_;
  mutable std::unordered_map<std::string, std::int64_t> head_of_;  // by the epitope's codes
};

// The layers of `spec`, on the CPU; the weights are arbitrary. Throws Error (kArtifact) when spec
// and expansion do not go together.
[[nodiscard]] std::shared_ptr<Body> make_body(const ModelSpec& spec,
                                              const data::Expansion& expansion);

// One each, in architecture_<name>.cpp.
[[nodiscard]] std::shared_ptr<Body> make_mlp(const ModelSpec&, const data::Expansion&);
[[nodiscard]] std::shared_ptr<Body> make_cnn(const ModelSpec&, const data::Expansion&);
[[nodiscard]] std::shared_ptr<Body> make_attention(const ModelSpec&, const data::Expansion&);
[[nodiscard]] std::shared_ptr<Body> make_kernel_mlp(const ModelSpec&, const data::Expansion&);
[[nodiscard]] std::shared_ptr<Body> make_two_tower(const ModelSpec&, const data::Expansion&);

// Weights as PyTorch initialises them: Linear uniform within 1/sqrt(inputs), embeddings normal, the
// row of gaps 0, normalisation the identity. Linear layer i takes its numbers from
// Rng(seed, "init", i), so networks made at the same time in several threads do not share a
// generator. Then the foundation is taken. Throws Error (kFailure) when it is not what the spec
// asks for.
void initialise(Body& body, const ModelSpec& spec, const Foundation& foundation,
                std::uint64_t seed);

// Codes as a tensor of their own on the CPU, [rows, code_width], and back.
[[nodiscard]] at::Tensor codes_of(const data::EncodedRows& rows);
[[nodiscard]] data::EncodedRows rows_of(const at::Tensor& codes);

}  // namespace tcrops::nn

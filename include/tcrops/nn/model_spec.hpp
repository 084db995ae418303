#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/expansion.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::nn {

// What a user asks of a network; make_spec() makes a ModelSpec of it. An architecture ignores what
// it does not have.
struct NetworkOptions {
  std::string architecture = "mlp_medium";  // of architecture_names()
  std::string head = "pan";                 // of head_names(): see ModelSpec::epitopes
  std::vector<std::int64_t> hidden;         // widths of the hidden layers; empty: its own
  std::string activation = "own";           // "own" or of activation_names()
  std::string norm = "own";                 // "own" or of norm_names()
  double dropout = 0.0;                     // share of values set to 0 behind each activation
  std::int64_t embedding = 16;              // dimensions of what the encoder `learned` looks up
  std::int64_t filters = 16;                // cnn: of each kernel width
  std::vector<std::int64_t> kernel_widths = {1, 3, 5, 7, 9};  // cnn: in residues, odd
  std::int64_t width = 32;            // attention: of a token; two_tower: of a tower's end
  std::int64_t blocks = 2;            // attention
  std::int64_t attention_heads = 4;   // attention; divides width
  std::int64_t anchors = 2000;        // kernel_mlp: at most so many TCRs
  std::string anchor_kind = "fixed";  // kernel_mlp: of anchor_kinds()
  std::vector<std::string> kernels = {"both:60"};  // kernel_mlp: see KernelPart
  std::vector<std::string> loop_weights;  // kernel_mlp: "CDR3_beta=3"; others as in make_spec
  std::vector<std::int64_t> cdr3_trim = {0,
                                         0};  // kernel_mlp: letters that do not count at the ends
  std::string readout = "linear";             // kernel_mlp: of readout_names()
};

// A part of a kernel: share * exp(-d / scale), d over the columns of both chains (and, without
// heads, of epitope and MHC), or of one chain.
struct KernelPart {
  std::string chains;  // "both", "alpha", "beta"
  double scale = 60.0;
  double share = 1.0;

  // Epitope and MHC belong to both chains.
  [[nodiscard]] bool compares(data::Column column) const;
};
// "alpha:20:0.5"; the share may be left out. Throws Error (kConfiguration) for another form.
[[nodiscard]] KernelPart kernel_part(const std::string& text);

// A network, fully written out, so that a stored model needs no code that knows how it was derived.
// All architectures end in a feed-forward part: layer i maps widths[i] to widths[i+1]; between
// layers stand normalisation, activation and dropout; the last layer is bare.
//   mlp*        that part alone, over all features
//   cnn         per sequence column, convolutions of several widths, the largest value over its
//               letters; names as they are
//   attention   a transformer (pre-norm) over letters and names; mean of the tokens that are there
//   kernel_mlp  similarities to anchor TCRs, the sum of its kernels; d is the sum over columns of
//               weight times squared distance of the encoded letters, over the columns that both
//               have, scaled up to all. With more than one kernel a part is 0 where a CDR3 of it is
//               missing. Readout "linear": similarities, turned into coordinates in which their
//               scalar products are the kernel (Nystrom, with a ridge; not with trained anchors),
//               then the feed-forward part. Readout "density", with heads only: per kernel the log
//               ratio of the mean similarity to a head's anchors and to all, both with m of the
//               latter added, weighted and summed; weights, scales, m and column weights are
//               trained, a TCR does not count for itself then.
//   two_tower   product of what one feed-forward part makes of the TCR and one of epitope and MHC
// A column of which a row has nothing is masked: it adds nothing but zeros.
struct ModelSpec {
  std::string architecture;
  std::vector<std::int64_t> widths;
  std::string activation;
  std::string norm;
  double dropout = 0.0;
  // One output for each, and nothing seen of epitope and MHC: per-epitope heads. Empty: one output
  // for any epitope ("pan").
  std::vector<std::string> epitopes;
  // The heads compete: one more output stands for "none of them", and a logit is the log odds of
  // its head's share in the softmax of all outputs.
  bool competing = false;
  std::int64_t inputs = 0;     // features that the expansion must give
  std::int64_t embedding = 0;  // dimensions of trained look-ups of the codes; 0: none
  // Of one architecture each; see NetworkOptions.
  std::int64_t filters = 0;
  std::vector<std::int64_t> kernel_widths;
  std::int64_t width = 0;
  std::int64_t blocks = 0;
  std::int64_t attention_heads = 0;
  std::int64_t anchors = 0;
  std::string anchor_kind;
  std::vector<KernelPart> kernels;
  std::vector<double> loop_weights;  // of the columns with codes that the network reads, in order
  std::vector<std::int64_t> cdr3_trim;
  std::string readout;

  // Trained numbers of the feed-forward part.
  [[nodiscard]] std::int64_t parameters() const;
  [[nodiscard]] bool is_mlp() const { return architecture.starts_with("mlp"); }
  [[nodiscard]] bool is_pan() const { return epitopes.empty(); }
  [[nodiscard]] std::int64_t outputs() const {
    return is_pan() ? 1 : static_cast<std::int64_t>(epitopes.size()) + (competing ? 1 : 0);
  }
};

// "mlp_small", "mlp_medium", "mlp_large" (the paper's), "mlp", "cnn", "attention", "kernel_mlp",
// "two_tower".
[[nodiscard]] const std::vector<std::string>& architecture_names();
[[nodiscard]] const std::vector<std::string>& head_names();  // "pan", "per_epitope", "competing"
[[nodiscard]] const std::vector<std::string>& activation_names();  // "relu", "elu", …
[[nodiscard]] const std::vector<std::string>& norm_names();        // "none", "batch", "layer"
[[nodiscard]] const std::vector<std::string>& anchor_kinds();      // "fixed", "trained"
[[nodiscard]] const std::vector<std::string>& readout_names();     // "linear", "density"

// The nets of Felbrich 2025, section 5. mlp_small: three linear layers (inputs, /2, /4) with ReLU.
// mlp_medium: 12 blocks Linear-BatchNorm-ELU, each ten narrower, the last a bare Linear to 1;
// mlp_large: 24 blocks, each five narrower. Where `inputs` is too small for that step, the step
// shrinks so that widths still fall evenly and stay positive. Throws Error (kConfiguration) for
// another name or inputs < 4.
[[nodiscard]] ModelSpec make_spec(const std::string& architecture, std::int64_t inputs);

// Any architecture for these inputs; in kernels a CDR3 weighs 3, another sequence 1, and a name 4,
// because it stands for loops; `epitopes` are the heads' with per-epitope heads, `anchors`
// how many there are to be had. Throws Error (kConfiguration) for names that are not known, for
// columns that the architecture cannot do without, and as above.
[[nodiscard]] ModelSpec make_spec(const NetworkOptions& options, const data::Expansion& expansion,
                                  const std::vector<std::string>& epitopes, std::int64_t anchors);

[[nodiscard]] Json to_json(const NetworkOptions& options);
[[nodiscard]] Json to_json(const ModelSpec& spec);
// Throws Error (kArtifact) when a key is missing or a value makes no sense.
[[nodiscard]] ModelSpec spec_from_json(const Json& json);

}  // namespace tcrops::nn

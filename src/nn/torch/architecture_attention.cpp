#include "body.hpp"
#include "feed_forward.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tcrops::nn {
namespace {

// Layers of one transformer block, normalised before each part (Xiong et al., ICML 2020).
struct Block {
  torch::nn::LayerNorm before_attention{nullptr};
  torch::nn::Linear query_key_value{nullptr};
  torch::nn::Linear joined{nullptr};
  torch::nn::LayerNorm before_wide{nullptr};
  torch::nn::Linear wide{nullptr};
  torch::nn::Linear narrow{nullptr};
};

// A small transformer: every letter and every name is a token, whose place is learned; those that
// are not there are not looked at; their mean feeds a feed-forward part.
class Attention : public Body {
 public:
  Attention(const ModelSpec& spec, const data::Expansion& expansion)
      : Body(spec, expansion),
        width_(spec.width),
        heads_(spec.attention_heads),
        dropout_(spec.dropout),
        feed_forward_(*this, "head", spec, spec.widths) {
    std::int64_t tokens = 0;
    for (const FeatureColumn& column : reader().columns()) {
      const auto name = fmt::format("token_{}", data::column_name(column.column));
      tokens_.push_back(register_module(name, torch::nn::Linear(column.dims, width_)));
      tokens += column.positions();
    }
    places_ = register_parameter("places", at::zeros({tokens, width_}));
    for (std::int64_t i = 0; i < spec.blocks; ++i) blocks_.push_back(make_block(i));
    const torch::nn::LayerNormOptions last({width_});
    norm_ = register_module("norm", torch::nn::LayerNorm(last));
  }

  void initialise_own(Rng& rng) override {
    constexpr double kDeviation = 0.02;
    auto* values = places_.data_ptr<float>();
    for (std::int64_t i = 0; i < places_.numel(); ++i)
      values[i] = static_cast<float>(kDeviation * rng.normal());
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& /*expansion*/,
                     const Pass& pass) override {
    const std::int64_t rows = features.rows();
    std::vector<at::Tensor> tokens;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const at::Tensor& values = features.values[i];
      tokens.push_back(linear(tokens_[i], values.reshape({-1, values.size(2)}), pass)
                           .reshape({rows, -1, width_}));
    }
    at::Tensor state = at::cat(tokens, 1) + places_;  // [rows, tokens, width]
    const at::Tensor present = at::cat(features.present, 1);
    for (const Block& block : blocks_) state = through(block, state, present, pass);
    torch::nn::LayerNorm norm = norm_;
    const at::Tensor weight = present.unsqueeze(2);
    const at::Tensor mean = (norm->forward(state) * weight).sum(1) / weight.sum(1).clamp_min(1.0);
    return feed_forward_.forward(mean, pass);
  }

 private:
  Block make_block(std::int64_t number) {
    const auto name = [number](const char* part) {
      return fmt::format("block{}_{}", number, part);
    };
    const torch::nn::LayerNormOptions options({width_});
    Block block;
    block.before_attention = register_module(name("norm1"), torch::nn::LayerNorm(options));
    block.query_key_value = register_module(name("qkv"), torch::nn::Linear(width_, 3 * width_));
    block.joined = register_module(name("joined"), torch::nn::Linear(width_, width_));
    block.before_wide = register_module(name("norm2"), torch::nn::LayerNorm(options));
    block.wide = register_module(name("wide"), torch::nn::Linear(width_, 2 * width_));
    block.narrow = register_module(name("narrow"), torch::nn::Linear(2 * width_, width_));
    return block;
  }

  // [rows, tokens, width] through a layer for each token.
  [[nodiscard]] static at::Tensor each(const torch::nn::Linear& layer, const at::Tensor& state,
                                       const Pass& pass) {
    return linear(layer, state.reshape({-1, state.size(2)}), pass)
        .reshape({state.size(0), state.size(1), -1});
  }

  [[nodiscard]] at::Tensor through(const Block& block, const at::Tensor& state,
                                   const at::Tensor& present, const Pass& pass) const {
    torch::nn::LayerNorm norm1 = block.before_attention;
    torch::nn::LayerNorm norm2 = block.before_wide;
    const at::Tensor seen =
        state + dropped_out(attend(block, norm1->forward(state), present, pass), dropout_, pass);
    const at::Tensor wide = at::gelu(each(block.wide, norm2->forward(seen), pass));
    return seen + dropped_out(each(block.narrow, wide, pass), dropout_, pass);
  }

  // Scaled dot products (Vaswani et al., NeurIPS 2017), of a row's own tokens only.
  [[nodiscard]] at::Tensor attend(const Block& block, const at::Tensor& state,
                                  const at::Tensor& present, const Pass& pass) const {
    const std::int64_t rows = state.size(0);
    const std::int64_t tokens = state.size(1);
    const std::int64_t dims = width_ / heads_;
    // [3, rows, heads, tokens, dims]
    const at::Tensor all = each(block.query_key_value, state, pass)
                               .view({rows, tokens, 3, heads_, dims})
                               .permute({2, 0, 3, 1, 4});
    constexpr double kNotThere = -1e9;
    const at::Tensor hidden = (1 - present).mul(kNotThere).view({rows, 1, 1, tokens});
    const at::Tensor products =
        at::matmul(all[0], all[1].transpose(2, 3)) / std::sqrt(static_cast<double>(dims));
    const at::Tensor mixed = at::matmul(at::softmax(products + hidden, 3), all[2]);
    return each(block.joined, mixed.transpose(1, 2).reshape({rows, tokens, width_}), pass);
  }

  std::int64_t width_;
  std::int64_t heads_;
  double dropout_;
  std::vector<torch::nn::Linear> tokens_;  // of each column
  at::Tensor places_;                      // [tokens, width]
  std::vector<Block> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  FeedForward feed_forward_;
};

}  // namespace

std::shared_ptr<Body> make_attention(const ModelSpec& spec, const data::Expansion& expansion) {
  return std::make_shared<Attention>(spec, expansion);
}

}  // namespace tcrops::nn

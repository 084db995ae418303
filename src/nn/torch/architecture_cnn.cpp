#include "body.hpp"
#include "feed_forward.hpp"

#include <fmt/format.h>

namespace tcrops::nn {
namespace {

// Convolutions of several widths over each sequence, the largest value of each filter over the
// places of its letters, then a feed-forward part (after NetTCR-2.0: Montemurro et al.,
// Communications Biology 4:1060, 2021).
class Cnn : public Body {
 public:
  Cnn(const ModelSpec& spec, const data::Expansion& expansion)
      : Body(spec, expansion),
        sequences_(reader().sequence_columns()),
        names_(reader().other_columns()),
        widths_(spec.kernel_widths.size()),
        activation_(spec.activation),
        feed_forward_(*this, "head", spec, spec.widths) {
    for (const std::size_t i : sequences_) {
      const FeatureColumn& column = reader().columns()[i];
      for (const std::int64_t width : spec.kernel_widths) {
        const auto name = fmt::format("conv_{}_{}", data::column_name(column.column), width);
        filters_.push_back(
            {width, register_module(name, torch::nn::Linear(width * column.dims, spec.filters))});
      }
    }
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& /*expansion*/,
                     const Pass& pass) override {
    std::vector<at::Tensor> found;
    auto filter = filters_.begin();
    for (const std::size_t i : sequences_) {
      for (std::size_t k = 0; k < widths_; ++k, ++filter)
        found.push_back(largest(*filter, features.values[i], features.present[i], pass));
    }
    if (!names_.empty()) found.push_back(features.side_by_side(names_));
    return feed_forward_.forward(at::cat(found, 1), pass);
  }

 private:
  struct Filter {
    std::int64_t width;
    torch::nn::Linear weights;
  };

  // [rows, positions, dims] -> [rows, filters]; zeros for a row without letters.
  [[nodiscard]] at::Tensor largest(const Filter& filter, const at::Tensor& values,
                                   const at::Tensor& present, const Pass& pass) const {
    const std::int64_t rows = values.size(0);
    const std::int64_t positions = values.size(1);
    const std::int64_t before = (filter.width - 1) / 2;
    const at::Tensor padded =
        at::constant_pad_nd(values, {0, 0, before, filter.width - 1 - before});
    // [rows, positions, dims, width]
    const at::Tensor windows = padded.unfold(1, filter.width, 1).reshape({rows * positions, -1});
    const at::Tensor all =
        activated(linear(filter.weights, windows, pass), activation_).view({rows, positions, -1});
    const at::Tensor letters = present.unsqueeze(2);
    // Far below whatever an activation gives.
    constexpr double kNothing = -1e9;
    const at::Tensor best = at::amax(all + (1 - letters) * kNothing, 1);
    return best * at::amax(letters, 1);
  }

  std::vector<std::size_t> sequences_;
  std::vector<std::size_t> names_;
  std::size_t widths_;  // of kernels, for each sequence
  std::string activation_;
  FeedForward feed_forward_;
  std::vector<Filter> filters_;
};

}  // namespace

std::shared_ptr<Body> make_cnn(const ModelSpec& spec, const data::Expansion& expansion) {
  return std::make_shared<Cnn>(spec, expansion);
}

}  // namespace tcrops::nn

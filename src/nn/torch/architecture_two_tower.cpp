#include "body.hpp"
#include "feed_forward.hpp"

#include <cmath>

namespace tcrops::nn {
namespace {

// A vector for the TCR, a vector for epitope and MHC, and their product; with heads, a trained
// vector for each epitope.
class TwoTower : public Body {
 public:
  TwoTower(const ModelSpec& spec, const data::Expansion& expansion)
      : Body(spec, expansion),
        pan_(spec.is_pan()),
        tcr_columns_(reader().tcr_columns()),
        epitope_columns_(reader().epitope_columns()),
        tcr_(*this, "tcr", spec, spec.widths),
        epitope_(pan_ ? FeedForward(*this, "epitope", spec, epitope_widths(spec))
                      : FeedForward(*this, "heads_", spec, {spec.width, spec.outputs()})) {
    bias_ = register_parameter("bias", at::zeros({1}));
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& /*expansion*/,
                     const Pass& pass) override {
    const at::Tensor tcr = tcr_.forward(features.side_by_side(tcr_columns_), pass);
    if (!pan_) return epitope_.forward(tcr, pass) + bias_;
    const at::Tensor epitope = epitope_.forward(features.side_by_side(epitope_columns_), pass);
    const double scale = 1.0 / std::sqrt(static_cast<double>(tcr.size(1)));
    return (tcr * epitope).sum(1, /*keepdim=*/true) * scale + bias_;
  }

 private:
  // As the other tower, but for what goes in.
  [[nodiscard]] std::vector<std::int64_t> epitope_widths(const ModelSpec& spec) const {
    std::vector<std::int64_t> widths = spec.widths;
    widths.front() = reader().width_of(epitope_columns_);
    return widths;
  }

  bool pan_;
  std::vector<std::size_t> tcr_columns_;
  std::vector<std::size_t> epitope_columns_;
  FeedForward tcr_;
  FeedForward epitope_;
  at::Tensor bias_;
};

}  // namespace

std::shared_ptr<Body> make_two_tower(const ModelSpec& spec, const data::Expansion& expansion) {
  return std::make_shared<TwoTower>(spec, expansion);
}

}  // namespace tcrops::nn

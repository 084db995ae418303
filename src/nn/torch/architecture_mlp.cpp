#include "body.hpp"
#include "feed_forward.hpp"

namespace tcrops::nn {
namespace {

// A feed-forward network over all features, side by side.
class Mlp : public Body {
 public:
  Mlp(const ModelSpec& spec, const data::Expansion& expansion)
      : Body(spec, expansion),
        columns_(reader().tcr_columns()),
        feed_forward_(*this, "", spec, spec.widths) {
    const auto epitope = reader().epitope_columns();
    columns_.insert(columns_.end(), epitope.begin(), epitope.end());
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& /*expansion*/,
                     const Pass& pass) override {
    return feed_forward_.forward(
        features.flat.defined() ? features.flat : features.side_by_side(columns_), pass);
  }

  // Only the training set fixes something here: the features themselves.
  at::Tensor forward_from(const at::Tensor& fixed, const DeviceExpansion& /*expansion*/,
                          const Pass& pass) override {
    return feed_forward_.forward(fixed, pass);
  }

  const FeedForward* plain() const override { return columns_.empty() ? &feed_forward_ : nullptr; }

 private:
  std::vector<std::size_t> columns_;
  FeedForward feed_forward_;
};

}  // namespace

std::shared_ptr<Body> make_mlp(const ModelSpec& spec, const data::Expansion& expansion) {
  return std::make_shared<Mlp>(spec, expansion);
}

}  // namespace tcrops::nn

#include "body.hpp"
#include "feed_forward.hpp"
#include "kernel_points.hpp"

#include <tcrops/core/error.hpp>

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tcrops::nn {
namespace {

// Largest squared distance of two letters with the encoder blosum_mds.
constexpr double kLetterCost = 4.0;
// Added to the diagonal of the anchors' own similarities, at least: two anchors may be the same.
constexpr double kRidge = 1e-3;

// L with L L^T = kernel + a ridge. The ridge grows tenfold until there is one: similarities of TCRs
// that lack chains are no scalar products.
at::Tensor lower_triangle(const at::Tensor& kernel) {
  const at::Tensor one = at::eye(kernel.size(0), kernel.options());
  constexpr double kMost = 1e3;
  double ridge = kRidge;
  while (true) {
    const auto [lower, failed] = at::linalg_cholesky_ex(kernel + one * ridge, /*upper=*/false);
    if (failed.item<int>() == 0) return lower;
    if (ridge > kMost) throw Error(ExitCode::kFailure, "the anchors' similarities are no numbers");
    ridge *= 10.0;
  }
}

void add(const at::Tensor& part, at::Tensor& sum) { sum = sum.defined() ? sum + part : part; }

// Similarities to anchor TCRs; readouts are derived from it.
class KernelBody : public Body {
 public:
  KernelBody(const ModelSpec& spec, const data::Expansion& expansion)
      : Body(spec, expansion),
        parts_(spec.kernels),
        numbers_(static_cast<std::int64_t>(expansion.number_width)) {
    const auto& columns = reader().columns();
    const auto with_codes =
        std::count_if(columns.begin(), columns.end(),
                      [](const FeatureColumn& column) { return column.segment.table.has_value(); });
    if (with_codes != std::ssize(spec.loop_weights)) {
      throw Error(
          ExitCode::kArtifact,
          fmt::format("the network weighs {} columns but the encoder has {}; they belong to "
                      "different models",
                      spec.loop_weights.size(), with_codes));
    }
    std::vector<float> weights;
    for (const double weight : spec.loop_weights) weights.push_back(static_cast<float>(weight));
    log_weights_ = at::tensor(weights).log();
    anchors_ = register_buffer(
        "anchors",
        at::zeros({spec.anchors, static_cast<std::int64_t>(expansion.code_width)}, at::kByte));
    for (const KernelPart& part : parts_)
      metrics_.emplace_back(reader(), spec, part, parts_.size() > 1);
  }

  void found_on(const data::EncodedRows& anchors) override { anchors_.copy_(codes_of(anchors)); }

 protected:
  [[nodiscard]] const std::vector<KernelPart>& parts() const { return parts_; }
  [[nodiscard]] DeviceRows anchor_rows() const {
    return {anchors_,
            at::zeros({anchors_.size(0), numbers_}, anchors_.options().dtype(at::kFloat))};
  }
  // Of the anchors for part `number`; kept when they never change, for training and scoring alike.
  [[nodiscard]] KernelPoints anchor_points(std::size_t number, const DeviceExpansion& expansion) {
    if (reader().has_embeddings()) return points(number, anchor_features(expansion));
    if (fixed_.empty()) {
      const c10::InferenceMode for_training_too(false);
      const Features features = anchor_features(expansion);
      for (std::size_t i = 0; i < parts_.size(); ++i) fixed_.push_back(points(i, features));
    }
    return fixed_[number];
  }
  [[nodiscard]] KernelPoints points(std::size_t number, const Features& features) const {
    return metrics_[number].points_of(features);
  }
  [[nodiscard]] virtual Features anchor_features(const DeviceExpansion& expansion) const {
    return reader().read(expansion, anchor_rows());
  }
  [[nodiscard]] at::Tensor distances(std::size_t number, const KernelPoints& rows,
                                     const KernelPoints& anchors, const Pass& pass) const {
    return metrics_[number].distances(rows, anchors, log_weights_.exp(), pass);
  }

  // exp(-distance/scale) times the part's share, [rows, anchors].
  [[nodiscard]] at::Tensor similarity(std::size_t number, const KernelPoints& rows,
                                      const KernelPoints& anchors, const Pass& pass) const {
    const KernelPart& part = parts_[number];
    return at::exp(distances(number, rows, anchors, pass) / -part.scale) * part.share *
           (rows.usable * anchors.usable.t());
  }

  at::Tensor log_weights_;  // [columns with codes]; a parameter or buffer of what is derived

 private:
  std::vector<KernelPart> parts_;
  std::int64_t numbers_;  // of a row; they are not compared
  std::vector<KernelMetric> metrics_;
  at::Tensor anchors_;  // [anchors, code_width] codes
  std::vector<KernelPoints> fixed_;
};

// The sum of the parts, as coordinates in which scalar products are the kernel, then a feed-forward
// part: with its last layer alone, a kernel machine whose penalty is weight decay.
class KernelMlp : public KernelBody {
 public:
  KernelMlp(const ModelSpec& spec, const data::Expansion& expansion)
      : KernelBody(spec, expansion), feed_forward_(*this, "head", spec, spec.widths) {
    register_buffer("log_weights", log_weights_);
  }

  // A kernel machine begins at nothing, so that what no TCR asks for stays so.
  void initialise_own(Rng& /*rng*/) override {
    if (feed_forward_.layers().size() > 1) return;
    torch::nn::Linear last = feed_forward_.layers().front().linear;
    last->weight.zero_();
    last->bias.zero_();
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& expansion,
                     const Pass& pass) override {
    if (reader().has_embeddings())
      return feed_forward_.forward(similarities(features, expansion, pass), pass);
    const bool training = pass.is_training();
    return forward_from(fixed_part(features, expansion, training), expansion, pass);
  }

  // For training coordinates, for scoring the similarities themselves.
  at::Tensor fixed_part(const Features& features, const DeviceExpansion& expansion,
                        bool training) override {
    if (reader().has_embeddings()) return {};
    const at::Tensor known = similarities(features, expansion, Pass{});
    return training ? products(known, to_coordinates(expansion), Pass{}) : known;
  }
  at::Tensor forward_from(const at::Tensor& fixed, const DeviceExpansion& expansion,
                          const Pass& pass) override {
    if (pass.is_training()) return feed_forward_.forward(fixed, pass);
    const at::Tensor& bias = feed_forward_.layers().front().linear->bias;
    return feed_forward_.after_first(linear(of_similarities(expansion), bias, fixed, pass), pass);
  }

  // Before the weights change, and before they are read: what was derived from them is forgotten.
  void train(bool on) override {
    KernelBody::train(on);
    of_similarities_ = at::Tensor();
  }

 private:
  [[nodiscard]] at::Tensor similarities(const Features& features, const DeviceExpansion& expansion,
                                        const Pass& pass) {
    at::Tensor sum;
    for (std::size_t i = 0; i < parts().size(); ++i)
      add(similarity(i, points(i, features), anchor_points(i, expansion), pass), sum);
    return sum;
  }

  // The lower triangle L with L L^T = kernel of the anchors: of similarities k, k L^-T are
  // coordinates.
  const at::Tensor& anchor_triangle(const DeviceExpansion& expansion) {
    if (!triangle_.defined()) {
      const c10::InferenceMode for_training_too(false);
      const at::NoGradGuard no_grad;
      const at::Tensor kernel =
          similarities(reader().read(expansion, anchor_rows()), expansion, Pass{}).to(at::kDouble);
      triangle_ = lower_triangle((kernel + kernel.t()) * 0.5);
    }
    return triangle_;
  }

  const at::Tensor& to_coordinates(const DeviceExpansion& expansion) {
    if (!to_coordinates_.defined()) {
      const c10::InferenceMode for_training_too(false);
      const at::NoGradGuard no_grad;
      const at::Tensor& triangle = anchor_triangle(expansion);
      const at::Tensor one = at::eye(triangle.size(0), triangle.options());
      to_coordinates_ =
          at::linalg_solve_triangular(triangle, one, /*upper=*/false).to(at::kFloat).contiguous();
    }
    return to_coordinates_;
  }

  // (k L^-T) W^T = k (W L^-1)^T: scoring needs no coordinates.
  const at::Tensor& of_similarities(const DeviceExpansion& expansion) {
    if (!of_similarities_.defined()) {
      const c10::InferenceMode for_training_too(false);
      const at::NoGradGuard no_grad;
      const at::Tensor weight = feed_forward_.layers().front().linear->weight.to(at::kDouble);
      of_similarities_ = at::linalg_solve_triangular(anchor_triangle(expansion).t(), weight.t(),
                                                     /*upper=*/true)
                             .t()
                             .to(at::kFloat)
                             .contiguous();
    }
    return of_similarities_;
  }

  at::Tensor triangle_;         // [anchors, anchors], double
  at::Tensor to_coordinates_;   // [anchors, anchors]: L^-1
  at::Tensor of_similarities_;  // [width of the first layer, anchors]: W L^-1
  FeedForward feed_forward_;
};

// The same with anchors that are trained, from where the training TCRs are.
class MovingKernelMlp : public KernelBody {
 public:
  MovingKernelMlp(const ModelSpec& spec, const data::Expansion& expansion)
      : KernelBody(spec, expansion), feed_forward_(*this, "head", spec, spec.widths) {
    log_weights_ = register_parameter("log_weights", log_weights_);
    for (std::size_t i = 0; i < reader().columns().size(); ++i) {
      const FeatureColumn& column = reader().columns()[i];
      moved_.push_back(
          register_parameter(fmt::format("moved_{}", data::column_name(column.column)),
                             at::zeros({spec.anchors, column.positions(), column.dims})));
    }
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& expansion,
                     const Pass& pass) override {
    const Features anchors = anchor_features(expansion);
    at::Tensor sum;
    for (std::size_t i = 0; i < parts().size(); ++i)
      add(similarity(i, points(i, features), points(i, anchors), pass), sum);
    return feed_forward_.forward(sum, pass);
  }

 private:
  // A place of which an anchor has nothing stays empty.
  [[nodiscard]] Features anchor_features(const DeviceExpansion& expansion) const override {
    Features features = KernelBody::anchor_features(expansion);
    for (std::size_t i = 0; i < moved_.size(); ++i) {
      if (reader().columns()[i].segment.table)
        features.values[i] = features.values[i] + moved_[i] * features.present[i].unsqueeze(2);
    }
    return features;
  }

  std::vector<at::Tensor> moved_;  // of each column
  FeedForward feed_forward_;
};

// Log ratios of densities of binders and of all anchors around a TCR.
class KernelDensity : public KernelBody {
 public:
  KernelDensity(const ModelSpec& spec, const data::Expansion& expansion)
      : KernelBody(spec, expansion),
        heads_(spec.outputs() - (spec.competing ? 1 : 0)),
        competing_(spec.competing),
        alike_(kLetterCost *
               *std::max_element(spec.loop_weights.begin(), spec.loop_weights.end())) {
    log_weights_ = register_parameter("log_weights", log_weights_);
    std::vector<float> scales;
    std::vector<float> shares;
    for (const KernelPart& part : parts()) {
      scales.push_back(static_cast<float>(std::log(part.scale)));
      shares.push_back(static_cast<float>(part.share));
    }
    constexpr double kPrior = 10.0;  // as so many anchors that are like all
    log_scales_ = register_parameter("log_scales", at::tensor(scales));
    shares_ = register_parameter("shares", at::tensor(shares));
    log_priors_ = register_parameter(
        "log_priors", at::full({static_cast<std::int64_t>(scales.size())}, std::log(kPrior)));
  }

  at::Tensor forward(const Features& features, const DeviceExpansion& expansion,
                     const Pass& pass) override {
    if (!binds_.defined()) find_binders();
    at::Tensor sum;
    for (std::size_t i = 0; i < parts().size(); ++i) {
      const at::Tensor ratios =
          log_ratios(i, points(i, features), anchor_points(i, expansion), pass);
      add(ratios * shares_[static_cast<std::int64_t>(i)], sum);
    }
    // "None of them" is like all.
    return competing_ ? at::constant_pad_nd(sum, {0, 1}) : sum;
  }

 private:
  // [rows, heads]
  [[nodiscard]] at::Tensor log_ratios(std::size_t number, const KernelPoints& rows,
                                      const KernelPoints& anchors, const Pass& pass) const {
    const auto part = static_cast<std::int64_t>(number);
    const at::Tensor distance = distances(number, rows, anchors, pass);
    at::Tensor near = at::exp(-distance / log_scales_[part].exp()) * anchors.usable.t();
    // Neither itself nor what differs by one letter counts for a TCR that is trained on.
    if (pass.is_training()) near = near * (distance > alike_).to(at::kFloat);
    const at::Tensor binders = binds_ * anchors.usable;  // [anchors, heads]
    const at::Tensor prior = log_priors_[part].exp();
    constexpr double kLeast = 1e-30;
    const at::Tensor usual =
        (near.sum(1, true) / anchors.usable.sum().clamp_min(1.0)).clamp_min(kLeast);
    const at::Tensor among =
        (products(near, binders.t(), pass) + usual * prior) / (binders.sum(0) + prior);
    const at::Tensor known = (binders.sum(0) > 0).to(at::kFloat);
    return (among.log() - usual.log()) * rows.usable * known;
  }

  void find_binders() {
    const c10::InferenceMode for_training_too(false);
    const at::NoGradGuard no_grad;
    const DeviceRows anchors = anchor_rows();
    const at::Tensor heads =
        at::tensor(heads_of(rows_of(anchors.codes)), at::kLong).to(anchors.codes.device());
    const at::Tensor numbers =
        at::arange(heads_, at::TensorOptions().dtype(at::kLong).device(heads.device()));
    binds_ = heads.unsqueeze(1).eq(numbers.unsqueeze(0)).to(at::kFloat);
  }

  std::int64_t heads_;
  bool competing_;
  double alike_;
  at::Tensor log_scales_;  // [parts]
  at::Tensor shares_;      // [parts]
  at::Tensor log_priors_;  // [parts]
  at::Tensor binds_;       // [anchors, heads], 1 where the anchor is a binder of the head's epitope
};

}  // namespace

std::shared_ptr<Body> make_kernel_mlp(const ModelSpec& spec, const data::Expansion& expansion) {
  if (spec.readout == "density") return std::make_shared<KernelDensity>(spec, expansion);
  if (spec.anchor_kind == "trained") return std::make_shared<MovingKernelMlp>(spec, expansion);
  return std::make_shared<KernelMlp>(spec, expansion);
}

}  // namespace tcrops::nn

#include "plain_pass.hpp"

#include <span>

namespace tcrops::nn {
namespace {

std::span<float> row(const at::Tensor& values, std::int64_t number) {
  const std::int64_t width = values.size(1);
  return {values.data_ptr<float>() + number * width, static_cast<std::size_t>(width)};
}

void set_gradient(const at::Tensor& weight, at::Tensor gradient) {
  weight.mutable_grad() = std::move(gradient);
}

}  // namespace

std::optional<PlainPass> PlainPass::of(const FeedForward& feed_forward, const at::Device& device) {
  const std::string& activation = feed_forward.activation();
  if (device.is_cuda() || feed_forward.dropout() != 0.0) return std::nullopt;
  if (activation != "relu" && activation != "elu") return std::nullopt;
  for (const FeedForward::Layer& layer : feed_forward.layers()) {
    if (layer.layer_norm) return std::nullopt;
  }
  return PlainPass(feed_forward,
                   activation == "elu" ? FusedActivation::kElu : FusedActivation::kRelu);
}

void PlainPass::make_room(std::int64_t rows) {
  if (rows == rows_) return;
  rows_ = rows;
  steps_.clear();
  const auto& layers = feed_forward_->layers();
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    const at::Tensor like = at::empty({layers[i].linear->weight.size(0), rows}, at::kFloat);
    const bool norm = static_cast<bool>(layers[i].batch_norm);
    steps_.push_back({norm ? at::empty_like(like) : at::Tensor(), like, at::empty_like(like), {}});
  }
}

void PlainPass::normalise(const FeedForward::Layer& layer, Step& step) const {
  const torch::nn::BatchNorm1dImpl& norm = *layer.batch_norm;
  const std::int64_t width = step.out.size(0);
  const float* scale = norm.weight.data_ptr<float>();
  const float* shift = norm.bias.data_ptr<float>();
  const float* bias = layer.linear->bias.data_ptr<float>();
  float* running_mean = norm.running_mean.data_ptr<float>();
  float* running_variance = norm.running_var.data_ptr<float>();
  const double momentum = norm.options.momentum().value();
  const auto rows = static_cast<double>(rows_);
  step.variances.resize(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < width; ++i) {
    const Moments moments = normalise_forward(row(step.values, i), row(step.out, i), scale[i],
                                              shift[i], norm.options.eps(), activation_);
    step.variances[static_cast<std::size_t>(i)] = moments.variance;
    const auto towards = [momentum](float from, double to) {
      return static_cast<float>((1.0 - momentum) * static_cast<double>(from) + momentum * to);
    };
    running_mean[i] = towards(running_mean[i], moments.mean + static_cast<double>(bias[i]));
    running_variance[i] = towards(running_variance[i], moments.variance * rows / (rows - 1.0));
  }
  at::Tensor tracked = norm.num_batches_tracked;
  tracked.add_(1);
}

at::Tensor PlainPass::forward(const at::Tensor& rows) {
  const at::NoGradGuard no_grad;
  make_room(rows.size(0));
  input_ = rows.t();
  const auto& layers = feed_forward_->layers();
  const at::Tensor* below = &input_;
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    Step& step = steps_[i];
    if (layers[i].batch_norm) {
      at::mm_out(step.values, layers[i].linear->weight, *below);
      normalise(layers[i], step);
    } else {
      at::mm_out(step.out, layers[i].linear->weight, *below);
      const float* bias = layers[i].linear->bias.data_ptr<float>();
      for (std::int64_t j = 0; j < step.out.size(0); ++j)
        activate_forward(row(step.out, j), bias[j], activation_);
    }
    below = &step.out;
  }
  const torch::nn::LinearImpl& last = *layers.back().linear;
  logits_ = at::addmm(last.bias.unsqueeze(1), last.weight, *below).t();
  return logits_.requires_grad_();
}

// From the gradient of what a layer gives to that of what it multiplies.
void PlainPass::back_through(const FeedForward::Layer& layer, Step& step) const {
  const std::int64_t width = step.out.size(0);
  if (!layer.batch_norm) {
    const at::Tensor bias = at::empty({width}, at::kFloat);
    for (std::int64_t i = 0; i < width; ++i) {
      bias.data_ptr<float>()[i] = static_cast<float>(
          activate_backward(row(step.out, i), row(step.gradient, i), activation_));
    }
    return set_gradient(layer.linear->bias, bias);
  }
  const torch::nn::BatchNorm1dImpl& norm = *layer.batch_norm;
  const at::Tensor scale = at::empty({width}, at::kFloat);
  const at::Tensor shift = at::empty({width}, at::kFloat);
  for (std::int64_t i = 0; i < width; ++i) {
    const NormGradients gradients = normalise_backward(
        row(step.values, i), row(step.out, i), row(step.gradient, i),
        norm.weight.data_ptr<float>()[i], step.variances[static_cast<std::size_t>(i)],
        norm.options.eps(), activation_);
    scale.data_ptr<float>()[i] = static_cast<float>(gradients.scale);
    shift.data_ptr<float>()[i] = static_cast<float>(gradients.shift);
  }
  set_gradient(norm.weight, scale);
  set_gradient(norm.bias, shift);
  set_gradient(layer.linear->bias, at::zeros({width}, at::kFloat));
}

void PlainPass::backward() {
  const at::NoGradGuard no_grad;
  const auto& layers = feed_forward_->layers();
  at::Tensor gradient = logits_.grad().t();  // of the layer above, [width, rows]
  for (std::size_t i = layers.size(); i-- > 0;) {
    const torch::nn::LinearImpl& linear = *layers[i].linear;
    if (i + 1 == layers.size()) {
      set_gradient(linear.bias, gradient.sum(1));
    } else {
      back_through(layers[i], steps_[i]);
      gradient = steps_[i].gradient;
    }
    const at::Tensor& below = i == 0 ? input_ : steps_[i - 1].out;
    set_gradient(linear.weight, at::mm(gradient, below.t()));
    if (i > 0) at::mm_out(steps_[i - 1].gradient, linear.weight.t(), gradient);
  }
}

}  // namespace tcrops::nn

#include "inference_net.hpp"

#include "heads.hpp"
#include "row_groups.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace tcrops::nn {
namespace {

// On a card there is no promise to keep, only latency to hide.
constexpr std::int64_t kCudaBlockRows = 8192;

// y = scale * (W x + b - mean) + shift as one linear map.
void fold_norm(const torch::nn::BatchNorm1dImpl& norm, at::Tensor& weight, at::Tensor& bias) {
  const at::Tensor scale =
      norm.weight.to(at::kDouble) / (norm.running_var.to(at::kDouble) + norm.options.eps()).sqrt();
  weight = weight * scale.unsqueeze(1);
  bias = (bias - norm.running_mean.to(at::kDouble)) * scale + norm.bias.to(at::kDouble);
}

void activate_in_place(at::Tensor& values, const std::string& activation) {
  if (activation == "relu")
    at::relu_(values);
  else if (activation == "elu")
    at::elu_(values);
  else
    values = activated(values, activation);
}

DeviceRows filled_up(const DeviceRows& rows, std::int64_t count) {
  const std::int64_t missing = count - rows.codes.size(0);
  if (missing == 0) return rows;
  const auto filled = [missing](const at::Tensor& values) {
    return at::cat({values, at::zeros({missing, values.size(1)}, values.options())});
  };
  return {filled(rows.codes), filled(rows.numbers)};
}

}  // namespace

InferenceNet::InferenceNet(const ModelSpec& spec, Body& body, const data::Expansion& expansion,
                           const at::Device& device, std::int64_t block_rows)
    : spec_(spec),
      body_(body),
      expansion_(expansion),
      device_(device),
      block_rows_(device.is_cuda() ? kCudaBlockRows : block_rows) {
  body_.eval();
  if (body_.plain() != nullptr && spec.norm != "layer") fold(*body_.plain());
  if (!layers_.empty() && device.is_cpu() && spec.is_pan() && spec.embedding == 0) fold_for_cpu();
}

void InferenceNet::fold_for_cpu() {
  std::vector<FoldedNetwork::Linear> layers;
  const auto numbers_of = [](const at::Tensor& tensor) {
    return std::span<const float>(tensor.data_ptr<float>(),
                                  static_cast<std::size_t>(tensor.numel()));
  };
  for (const Layer& layer : layers_)
    layers.push_back({numbers_of(layer.weight), numbers_of(layer.bias)});
  folded_.emplace(layers, spec_.activation);
}

std::vector<float> InferenceNet::logits_on_cpu(const data::EncodedRows& rows) const {
  constexpr std::size_t kBlockRows = FoldedNetwork::kBlockRows;
  std::vector<float> result(rows.rows);
  const std::size_t largest = std::min(kBlockRows, rows.rows) * folded_->inputs();
  features_.resize(std::max(features_.size(), largest));
  for (std::size_t begin = 0; begin < rows.rows; begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows.rows - begin);
    const std::span<float> some = std::span(features_).first(count * folded_->inputs());
    data::expand(expansion_, rows, begin, begin + count, some);
    folded_->logits(some, std::span(result).subspan(begin, count));
  }
  return result;
}

void InferenceNet::fold(const FeedForward& feed_forward) {
  const c10::InferenceMode guard;
  for (const FeedForward::Layer& layer : feed_forward.layers()) {
    at::Tensor weight = layer.linear->weight.to(at::kDouble);
    at::Tensor bias = layer.linear->bias.to(at::kDouble);
    if (layer.batch_norm) fold_norm(*layer.batch_norm, weight, bias);
    layers_.push_back(
        {weight.to(at::kFloat).contiguous(), bias.to(at::kFloat).unsqueeze(1).contiguous()});
  }
}

at::Tensor InferenceNet::score_folded(const at::Tensor& rows) const {
  at::Tensor values = rows.t();
  for (const Layer& layer : layers_) {
    values = at::addmm(layer.bias, layer.weight, values);
    if (&layer != &layers_.back()) activate_in_place(values, spec_.activation);
  }
  return values.squeeze(0);
}

at::Tensor InferenceNet::score_block(const DeviceExpansion& expansion,
                                     const DeviceRows& rows) const {
  const Features features = body_.reader().read(expansion, rows);
  if (!layers_.empty()) return score_folded(features.flat).unsqueeze(1);
  return logits_of_heads(body_.forward(features, expansion, Pass{}), spec_);
}

// Empty when nothing is fixed, or too much.
InferenceNet::Kept InferenceNet::fixed_parts(const DeviceExpansion& expansion,
                                             const data::EncodedRows& rows) const {
  constexpr std::size_t kMostBytes = std::size_t{1} << 28U;
  Kept parts;
  const auto count = static_cast<std::int64_t>(rows.rows);
  for (std::int64_t begin = 0; begin < count; begin += block_rows_) {
    const DeviceRows block = block_of(rows, begin);
    const at::Tensor part = body_.fixed_part(body_.reader().read(expansion, block), expansion,
                                             /*training=*/false);
    if (!part.defined() || rows.rows * part.size(1) * sizeof(float) > kMostBytes) return {};
    parts.push_back(part);
  }
  return parts;
}

DeviceRows InferenceNet::block_of(const data::EncodedRows& rows, std::int64_t begin) const {
  const std::int64_t end = std::min(begin + block_rows_, static_cast<std::int64_t>(rows.rows));
  return filled_up(to_device(rows, begin, end, device_), block_rows_);
}

template <class Take>
void InferenceNet::score(const DeviceExpansion& expansion, const data::EncodedRows& rows,
                         Kept* kept, Take&& take) const {
  if (kept != nullptr && kept->empty() && layers_.empty()) *kept = fixed_parts(expansion, rows);
  const bool known = kept != nullptr && !kept->empty();
  const auto count = static_cast<std::int64_t>(rows.rows);
  for (std::int64_t begin = 0; begin < count; begin += block_rows_) {
    const at::Tensor logits =
        known ? logits_of_heads(
                    body_.forward_from((*kept)[static_cast<std::size_t>(begin / block_rows_)],
                                       expansion, Pass{}),
                    spec_)
              : score_block(expansion, block_of(rows, begin));
    take(begin, std::min(block_rows_, count - begin), logits.to(at::kCPU).contiguous());
  }
}

std::vector<float> InferenceNet::logits(const DeviceExpansion& expansion,
                                        const data::EncodedRows& rows, Kept* kept) const {
  if (folded_) return logits_on_cpu(rows);
  data::check_rows(expansion_, rows, 0, rows.rows);
  const c10::InferenceMode guard;
  if (!spec_.is_pan()) return logits_by_head(expansion, rows, kept);
  std::vector<float> result(rows.rows);
  score(expansion, rows, kept,
        [&](std::int64_t begin, std::int64_t size, const at::Tensor& logits) {
          std::memcpy(result.data() + begin, logits.data_ptr<float>(),
                      static_cast<std::size_t>(size) * sizeof(float));
        });
  return result;
}

std::vector<float> InferenceNet::logits_by_head(const DeviceExpansion& expansion,
                                                const data::EncodedRows& rows, Kept* kept) const {
  const RowGroups groups = group_rows(rows, body_.reader().columns());
  const std::vector<std::int64_t> heads = body_.heads_of(rows);
  data::EncodedRows different;
  for (const auto& members : groups.rows)
    data::append_row(rows, static_cast<std::size_t>(members.front()), different);
  std::vector<float> result(rows.rows, std::numeric_limits<float>::quiet_NaN());
  score(expansion, different, kept,
        [&](std::int64_t begin, std::int64_t size, const at::Tensor& logits) {
          const float* values = logits.data_ptr<float>();
          for (std::int64_t i = 0; i < size; ++i) {
            for (const std::int64_t row : groups.rows[static_cast<std::size_t>(begin + i)]) {
              const std::int64_t head = heads[static_cast<std::size_t>(row)];
              if (head >= 0)
                result[static_cast<std::size_t>(row)] = values[i * logits.size(1) + head];
            }
          }
        });
  return result;
}

}  // namespace tcrops::nn

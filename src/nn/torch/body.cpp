#include "body.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::nn {
namespace {

// Fills a float tensor on the CPU.
template <class Draw>
void fill(const at::Tensor& tensor, Draw&& draw) {
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(draw());
}

void initialise_linear(torch::nn::LinearImpl& layer, std::uint64_t seed, std::uint64_t index) {
  Rng rng(seed, "init", index);
  const double bound = 1.0 / std::sqrt(static_cast<double>(layer.options.in_features()));
  const auto uniform = [&] { return (2.0 * rng.uniform() - 1.0) * bound; };
  fill(layer.weight, uniform);
  fill(layer.bias, uniform);
}

void require_rows(const char* what, std::int64_t given, std::int64_t wanted) {
  if (given == wanted) return;
  throw Error(ExitCode::kFailure,
              fmt::format("a network of {} {} is founded on {}", wanted, what, given));
}

}  // namespace

at::Tensor codes_of(const data::EncodedRows& rows) {
  // from_blob has no const form; the copy is what is kept.
  return at::from_blob(
             const_cast<std::uint8_t*>(rows.codes.data()),
             {static_cast<std::int64_t>(rows.rows), static_cast<std::int64_t>(rows.code_width)},
             at::TensorOptions().dtype(at::kByte))
      .clone();
}

data::EncodedRows rows_of(const at::Tensor& codes) {
  const at::Tensor values = codes.to(at::kCPU).contiguous();
  const auto* first = values.data_ptr<std::uint8_t>();
  return {.rows = static_cast<std::size_t>(values.size(0)),
          .code_width = static_cast<std::size_t>(values.size(1)),
          .number_width = 0,
          .codes = {first, first + values.numel()},
          .numbers = {}};
}

Body::Body(const ModelSpec& spec, const data::Expansion& expansion)
    : reader_(*this, spec, expansion) {
  if (spec.is_pan()) return;
  for (const data::Expansion::Block& block : expansion.blocks) {
    if (block.column == data::Column::kEpitope) epitope_ = block.segment;
  }
  if (!epitope_.table) {
    throw Error(ExitCode::kArtifact,
                "the network has a head per epitope, but the encoder knows no epitope; they "
                "belong to different models");
  }
  head_codes_ = register_buffer(
      "heads",
      at::zeros({std::ssize(spec.epitopes), static_cast<std::int64_t>(expansion.code_width)},
                at::kByte));
}

std::vector<std::int64_t> Body::heads_of(const data::EncodedRows& rows) const {
  const auto epitope = [this](const data::EncodedRows& of, std::size_t row) {
    const auto* first = of.codes.data() + row * of.code_width + epitope_.first;
    return std::string(reinterpret_cast<const char*>(first), epitope_.count);
  };
  if (head_of_.empty()) {
    const data::EncodedRows heads = rows_of(head_codes_);
    for (std::size_t head = 0; head < heads.rows; ++head)
      head_of_.emplace(epitope(heads, head), static_cast<std::int64_t>(head));
  }
  std::vector<std::int64_t> result;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const auto at = head_of_.find(epitope(rows, row));
    result.push_back(at == head_of_.end() ? -1 : at->second);
  }
  return result;
}

std::shared_ptr<Body> make_body(const ModelSpec& spec, const data::Expansion& expansion) {
  const auto features = static_cast<std::int64_t>(expansion.feature_width());
  if (features != spec.inputs) {
    throw Error(ExitCode::kArtifact,
                fmt::format("the encoder gives {} numbers but the network takes {}; they belong "
                            "to different models",
                            features, spec.inputs));
  }
  if (spec.is_mlp()) return make_mlp(spec, expansion);
  if (spec.architecture == "cnn") return make_cnn(spec, expansion);
  if (spec.architecture == "attention") return make_attention(spec, expansion);
  if (spec.architecture == "kernel_mlp") return make_kernel_mlp(spec, expansion);
  return make_two_tower(spec, expansion);
}

void initialise(Body& body, const ModelSpec& spec, const Foundation& foundation,
                std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  std::uint64_t index = 0;
  for (const auto& module : body.modules(/*include_self=*/false)) {
    if (auto* layer = module->as<torch::nn::LinearImpl>()) initialise_linear(*layer, seed, index++);
  }
  for (const auto& item : body.named_parameters(/*recurse=*/false)) {
    if (!item.key().starts_with("embedding")) continue;
    Rng rng(seed, "init." + item.key());
    fill(item.value(), [&] { return rng.normal(); });
    item.value()[0].zero_();
  }
  Rng rng(seed, "init.own");
  body.initialise_own(rng);
  require_rows("anchors", static_cast<std::int64_t>(foundation.anchors.rows), spec.anchors);
  if (spec.anchors > 0) body.found_on(foundation.anchors);
  if (spec.is_pan()) return;
  require_rows("heads", static_cast<std::int64_t>(foundation.epitopes.rows),
               std::ssize(spec.epitopes));
  at::Tensor heads = body.head_codes();
  heads.copy_(codes_of(foundation.epitopes));
}

}  // namespace tcrops::nn

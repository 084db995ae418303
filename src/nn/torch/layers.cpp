#include "layers.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>

namespace tcrops::nn {
namespace {

DType dtype_of(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kLong ? DType::kI64 : DType::kF32;
}

// Fills a float tensor on the CPU with numbers of [-bound, bound).
void fill_uniform(const at::Tensor& tensor, double bound, Rng& rng) {
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>((2.0 * rng.uniform() - 1.0) * bound);
  }
}

void check_tensor(const StateTensor& wanted, const Tensor& given, std::string_view what) {
  const std::vector<std::int64_t> shape = wanted.tensor.sizes().vec();
  const DType dtype = dtype_of(wanted.tensor);
  if (given.name == wanted.name && given.dtype == dtype && given.shape == shape &&
      given.bytes.size() == wanted.tensor.nbytes()) {
    return;
  }
  throw Error(
      ExitCode::kArtifact,
      fmt::format("{}: found tensor \"{}\" {} [{}], the specification asks for \"{}\" {} [{}]; "
                  "the model is damaged or its parts do not belong together",
                  what, given.name, dtype_name(given.dtype), fmt::join(given.shape, ", "),
                  wanted.name, dtype_name(dtype), fmt::join(shape, ", ")));
}

}  // namespace

torch::nn::Sequential build_layers(const ModelSpec& spec) {
  torch::nn::Sequential layers;
  for (std::size_t i = 0; i + 1 < spec.widths.size(); ++i) {
    layers->push_back(torch::nn::Linear(spec.widths[i], spec.widths[i + 1]));
    if (i + 2 == spec.widths.size()) break;
    if (spec.batch_norm) layers->push_back(torch::nn::BatchNorm1d(spec.widths[i + 1]));
    if (spec.activation == "relu")
      layers->push_back(torch::nn::ReLU());
    else
      layers->push_back(torch::nn::ELU());
  }
  return layers;
}

void initialise(torch::nn::Sequential& layers, std::uint64_t seed) {
  at::NoGradGuard no_grad;
  std::uint64_t index = 0;
  for (const auto& child : layers->children()) {
    if (auto* linear = child->as<torch::nn::Linear>()) {
      Rng rng(seed, "init", index++);
      const double bound = 1.0 / std::sqrt(static_cast<double>(linear->options.in_features()));
      fill_uniform(linear->weight, bound, rng);
      fill_uniform(linear->bias, bound, rng);
    }
  }
}

std::vector<StateTensor> state_of(const torch::nn::Sequential& layers) {
  std::vector<StateTensor> state;
  for (const auto& child : layers->named_children()) {
    for (const auto& item : child.value()->named_parameters(/*recurse=*/false)) {
      state.push_back({child.key() + "." + item.key(), item.value().detach()});
    }
    for (const auto& item : child.value()->named_buffers(/*recurse=*/false)) {
      state.push_back({child.key() + "." + item.key(), item.value()});
    }
  }
  return state;
}

std::vector<Tensor> export_tensors(std::span<const StateTensor> state) {
  std::vector<Tensor> tensors;
  for (const StateTensor& item : state) {
    const at::Tensor values = item.tensor.to(at::kCPU).contiguous();
    const auto* first = static_cast<const std::byte*>(values.data_ptr());
    tensors.push_back(
        {item.name, dtype_of(values), values.sizes().vec(), {first, first + values.nbytes()}});
  }
  return tensors;
}

void import_tensors(std::span<const StateTensor> state, std::span<const Tensor> given,
                    std::string_view what) {
  if (state.size() != given.size()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: {} tensors, the specification asks for {}; the model is damaged "
                            "or its parts do not belong together",
                            what, given.size(), state.size()));
  }
  for (std::size_t i = 0; i < state.size(); ++i) check_tensor(state[i], given[i], what);
  at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < state.size(); ++i) {
    at::Tensor values = at::empty_like(state[i].tensor, at::kCPU);
    if (!given[i].bytes.empty())
      std::memcpy(values.data_ptr(), given[i].bytes.data(), given[i].bytes.size());
    at::Tensor target = state[i].tensor;
    target.copy_(values);
  }
}

std::vector<Tensor> export_state(const torch::nn::Sequential& layers) {
  return export_tensors(state_of(layers));
}

void import_state(torch::nn::Sequential& layers, std::span<const Tensor> weights) {
  import_tensors(state_of(layers), weights, "model weights");
}

}  // namespace tcrops::nn

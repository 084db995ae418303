#include "state.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

namespace tcrops::nn {
namespace {

DType dtype_of(const at::Tensor& tensor) {
  if (tensor.scalar_type() == at::kByte) return DType::kU8;
  return tensor.scalar_type() == at::kLong ? DType::kI64 : DType::kF32;
}

void append_state(const torch::nn::Module& module, const std::string& prefix,
                  std::vector<StateTensor>& state) {
  for (const auto& item : module.named_parameters(/*recurse=*/false))
    state.push_back({prefix + item.key(), item.value().detach()});
  for (const auto& item : module.named_buffers(/*recurse=*/false))
    state.push_back({prefix + item.key(), item.value()});
  for (const auto& child : module.named_children())
    append_state(*child.value(), prefix + child.key() + ".", state);
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

std::vector<StateTensor> state_of(const torch::nn::Module& module) {
  std::vector<StateTensor> state;
  append_state(module, "", state);
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

std::vector<Tensor> export_state(const torch::nn::Module& module) {
  return export_tensors(state_of(module));
}

void import_state(const torch::nn::Module& module, std::span<const Tensor> weights) {
  import_tensors(state_of(module), weights, "model weights");
}

}  // namespace tcrops::nn

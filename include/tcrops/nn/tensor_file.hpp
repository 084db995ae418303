#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::nn {

// Element types that tcrops writes, with the names of the safetensors format.
enum class DType { kF32, kI64, kU8, kI8 };
[[nodiscard]] std::string_view dtype_name(DType dtype);
[[nodiscard]] std::size_t dtype_size(DType dtype);

struct Tensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  // little-endian, row-major

  [[nodiscard]] std::int64_t elements() const;
};

[[nodiscard]] Tensor make_f32(std::string name, std::vector<std::int64_t> shape,
                              std::span<const float> values);
[[nodiscard]] Tensor make_u8(std::string name, std::vector<std::int64_t> shape,
                             std::span<const std::uint8_t> values);
[[nodiscard]] Tensor make_i8(std::string name, std::vector<std::int64_t> shape,
                             std::span<const std::int8_t> values);
// Throw Error (kArtifact) when the tensor is of another type.
[[nodiscard]] std::vector<float> as_f32(const Tensor& tensor);
[[nodiscard]] std::vector<std::uint8_t> as_u8(const Tensor& tensor);
[[nodiscard]] std::vector<std::int8_t> as_i8(const Tensor& tensor);

// The safetensors format: u64 header size, JSON header {name: {dtype, shape, data_offsets}},
// padding spaces to a multiple of 8, bytes. Tensors keep their order. Equal tensors give equal
// bytes.
[[nodiscard]] std::string write_safetensors(std::span<const Tensor> tensors);

// Reads hostile bytes: checks header size, JSON, types, shapes, offsets (no gap, no overlap,
// nothing behind, no name twice, at most 1 MB of header) before using any. Throws Error (kArtifact)
// that begins with `name`.
[[nodiscard]] std::vector<Tensor> read_safetensors(std::string_view bytes, const std::string& name);

// The tensor called `name`; throws Error (kArtifact) when absent.
[[nodiscard]] const Tensor& find_tensor(std::span<const Tensor> tensors, std::string_view name);

}  // namespace tcrops::nn

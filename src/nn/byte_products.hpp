#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::nn {

// A matrix of signed bytes [outputs, inputs], laid out for products with rows of unsigned ones.
class ByteMatrix {
 public:
  // `values` [outputs, inputs], row-major.
  ByteMatrix(std::span<const std::int8_t> values, std::size_t outputs, std::size_t inputs);

  // How long rows and results are, with zeros at their ends.
  [[nodiscard]] std::size_t padded_inputs() const { return padded_inputs_; }
  [[nodiscard]] std::size_t padded_outputs() const { return padded_outputs_; }
  // `sums` [rows, padded_outputs] of `bytes` [rows, padded_inputs] from 0 to 127. Exact, whichever
  // instructions the processor has (AVX-512 VNNI, AVX2 or none of these).
  void multiply(const std::uint8_t* bytes, std::size_t rows, std::int32_t* sums) const;

 private:
  std::size_t padded_inputs_;
  std::size_t padded_outputs_;
  std::vector<std::int8_t> packed_;  // [outputs / 16][inputs / 4][16 outputs][4 inputs]
};

// The widest instructions that multiply() uses here: "avx512vnni", "avx2" or "plain".
[[nodiscard]] const char* byte_product_kernel();

}  // namespace tcrops::nn

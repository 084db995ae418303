#include "byte_products.hpp"

#include "catch_all.hpp"

#include <tcrops/core/rng.hpp>

using namespace tcrops;
using namespace tcrops::nn;

TEST_CASE("products of bytes are exact for every shape") {
  Rng rng(1, "bytes");
  for (const std::size_t inputs : {1U, 3U, 4U, 63U, 64U, 300U}) {
    for (const std::size_t outputs : {1U, 15U, 16U, 17U, 63U, 64U, 130U}) {
      std::vector<std::int8_t> weights(inputs * outputs);
      for (auto& weight : weights)
        weight = static_cast<std::int8_t>(static_cast<int>(rng.below(255)) - 127);
      const ByteMatrix matrix(weights, outputs, inputs);
      for (const std::size_t rows : {1U, 5U, 6U, 13U}) {
        INFO(inputs << " inputs, " << outputs << " outputs, " << rows << " rows, "
                    << byte_product_kernel());
        std::vector<std::uint8_t> bytes(rows * matrix.padded_inputs(), 0);
        for (std::size_t row = 0; row < rows; ++row) {
          for (std::size_t i = 0; i < inputs; ++i)
            bytes[row * matrix.padded_inputs() + i] = static_cast<std::uint8_t>(rng.below(128));
        }
        std::vector<std::int32_t> sums(rows * matrix.padded_outputs(), -1);
        matrix.multiply(bytes.data(), rows, sums.data());
        std::size_t wrong = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          for (std::size_t out = 0; out < outputs; ++out) {
            std::int32_t sum = 0;
            for (std::size_t i = 0; i < inputs; ++i)
              sum += int{bytes[row * matrix.padded_inputs() + i]} * int{weights[out * inputs + i]};
            wrong += sums[row * matrix.padded_outputs() + out] != sum ? 1 : 0;
          }
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("the largest bytes do not overflow") {
  constexpr std::size_t kInputs = 4096;
  for (const std::int8_t weight : {std::int8_t{127}, std::int8_t{-127}}) {
    const std::vector<std::int8_t> weights(kInputs * 16, weight);
    const ByteMatrix matrix(weights, 16, kInputs);
    const std::vector<std::uint8_t> bytes(kInputs, 127);
    std::vector<std::int32_t> sums(16);
    matrix.multiply(bytes.data(), 1, sums.data());
    CHECK(sums == std::vector<std::int32_t>(16, 127 * weight * static_cast<int>(kInputs)));
  }
}

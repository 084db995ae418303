#include "byte_products.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tcrops::nn {
namespace {

constexpr std::size_t kLanes = 16;  // outputs side by side
constexpr std::size_t kDepth = 4;   // inputs that one instruction adds up

std::size_t rounded_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

struct Shape {
  std::size_t inputs;   // padded
  std::size_t outputs;  // padded
};

using Multiply = void (*)(const std::int8_t* packed, Shape shape, const std::uint8_t* bytes,
                          std::size_t rows, std::int32_t* sums);

void multiply_plain(const std::int8_t* packed, Shape shape, const std::uint8_t* bytes,
                    std::size_t rows, std::int32_t* sums) {
  const std::size_t panel = shape.inputs * kLanes;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint8_t* own = bytes + row * shape.inputs;
    for (std::size_t first = 0; first < shape.outputs; first += kLanes) {
      const std::int8_t* weights = packed + first / kLanes * panel;
      std::int32_t* to = sums + row * shape.outputs + first;
      std::fill_n(to, kLanes, 0);
      for (std::size_t i = 0; i < shape.inputs; i += kDepth) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          for (std::size_t k = 0; k < kDepth; ++k)
            to[lane] += int{own[i + k]} * int{weights[i * kLanes + lane * kDepth + k]};
        }
      }
    }
  }
}

#if defined(__x86_64__)
std::int32_t four_bytes(const std::uint8_t* bytes) {
  std::int32_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// kRows rows and kPanels panels of 16 outputs at a time: their sums stay in registers.
template <std::size_t kRows, std::size_t kPanels>
__attribute__((target("avx512f,avx512vnni"))) void tile_vnni(const std::int8_t* packed, Shape shape,
                                                             const std::uint8_t* bytes,
                                                             std::int32_t* sums) {
  const std::size_t panel = shape.inputs * kLanes;
  __m512i total[kRows][kPanels];
  for (auto& row : total) {
    for (auto& one : row) one = _mm512_setzero_si512();
  }
  for (std::size_t i = 0; i < shape.inputs; i += kDepth) {
    __m512i weights[kPanels];
    for (std::size_t p = 0; p < kPanels; ++p)
      weights[p] = _mm512_loadu_si512(packed + p * panel + i * kLanes);
    for (std::size_t row = 0; row < kRows; ++row) {
      const __m512i four = _mm512_set1_epi32(four_bytes(bytes + row * shape.inputs + i));
      for (std::size_t p = 0; p < kPanels; ++p)
        total[row][p] = _mm512_dpbusd_epi32(total[row][p], four, weights[p]);
    }
  }
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t p = 0; p < kPanels; ++p)
      _mm512_storeu_si512(sums + row * shape.outputs + p * kLanes, total[row][p]);
  }
}

// Two halves of a panel. No sum of two products leaves 16 bits: 2 * 127 * 127 < 2^15.
template <std::size_t kRows, std::size_t kPanels>
__attribute__((target("avx2"))) void tile_avx2(const std::int8_t* packed, Shape shape,
                                               const std::uint8_t* bytes, std::int32_t* sums) {
  constexpr std::size_t kHalves = 2 * kPanels;
  const std::size_t panel = shape.inputs * kLanes;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i total[kRows][kHalves];
  for (auto& row : total) {
    for (auto& one : row) one = _mm256_setzero_si256();
  }
  for (std::size_t i = 0; i < shape.inputs; i += kDepth) {
    __m256i weights[kHalves];
    for (std::size_t h = 0; h < kHalves; ++h) {
      const auto* from = packed + h / 2 * panel + i * kLanes + h % 2 * (kLanes / 2 * kDepth);
      weights[h] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    for (std::size_t row = 0; row < kRows; ++row) {
      const __m256i four = _mm256_set1_epi32(four_bytes(bytes + row * shape.inputs + i));
      for (std::size_t h = 0; h < kHalves; ++h) {
        const __m256i pairs = _mm256_maddubs_epi16(four, weights[h]);
        total[row][h] = _mm256_add_epi32(total[row][h], _mm256_madd_epi16(pairs, ones));
      }
    }
  }
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t h = 0; h < kHalves; ++h) {
      auto* to = sums + row * shape.outputs + h * (kLanes / 2);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), total[row][h]);
    }
  }
}

using Tile = void (*)(const std::int8_t* packed, Shape shape, const std::uint8_t* bytes,
                      std::int32_t* sums);

// Tiles of `rows_at_once` x `panels_at_once`, and smaller ones at the edges.
struct Tiles {
  std::size_t rows_at_once;
  std::size_t panels_at_once;
  Tile whole;
  Tile one_row;    // all panels of a tile
  Tile one_panel;  // all rows of a tile
  Tile single;
};

void multiply_tiles(const Tiles& tiles, const std::int8_t* packed, Shape shape,
                    const std::uint8_t* bytes, std::size_t rows, std::int32_t* sums) {
  const std::size_t panels = shape.outputs / kLanes;
  for (std::size_t panel = 0; panel < panels;) {
    const bool wide = panel + tiles.panels_at_once <= panels;
    for (std::size_t row = 0; row < rows;) {
      const bool tall = row + tiles.rows_at_once <= rows;
      const Tile tile =
          wide ? (tall ? tiles.whole : tiles.one_row) : (tall ? tiles.one_panel : tiles.single);
      tile(packed + panel * shape.inputs * kLanes, shape, bytes + row * shape.inputs,
           sums + row * shape.outputs + panel * kLanes);
      row += tall ? tiles.rows_at_once : 1;
    }
    panel += wide ? tiles.panels_at_once : 1;
  }
}

void multiply_vnni(const std::int8_t* packed, Shape shape, const std::uint8_t* bytes,
                   std::size_t rows, std::int32_t* sums) {
  static constexpr Tiles kTiles = {
      6, 4, tile_vnni<6, 4>, tile_vnni<1, 4>, tile_vnni<6, 1>, tile_vnni<1, 1>};
  multiply_tiles(kTiles, packed, shape, bytes, rows, sums);
}

void multiply_avx2(const std::int8_t* packed, Shape shape, const std::uint8_t* bytes,
                   std::size_t rows, std::int32_t* sums) {
  static constexpr Tiles kTiles = {
      4, 1, tile_avx2<4, 1>, tile_avx2<1, 1>, tile_avx2<4, 1>, tile_avx2<1, 1>};
  multiply_tiles(kTiles, packed, shape, bytes, rows, sums);
}
#endif

struct Kernel {
  const char* name;
  Multiply multiply;
};

Kernel choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"))
    return {"avx512vnni", multiply_vnni};
  if (__builtin_cpu_supports("avx2")) return {"avx2", multiply_avx2};
#endif
  return {"plain", multiply_plain};
}

const Kernel& kernel() {
  static const Kernel chosen = choose();
  return chosen;
}

}  // namespace

ByteMatrix::ByteMatrix(std::span<const std::int8_t> values, std::size_t outputs, std::size_t inputs)
    : padded_inputs_(rounded_up(inputs, kDepth)), padded_outputs_(rounded_up(outputs, kLanes)) {
  packed_.assign(padded_inputs_ * padded_outputs_, 0);
  for (std::size_t out = 0; out < outputs; ++out) {
    for (std::size_t in = 0; in < inputs; ++in) {
      const std::size_t panel = out / kLanes * padded_inputs_ * kLanes;
      const std::size_t at = in / kDepth * kLanes * kDepth + out % kLanes * kDepth + in % kDepth;
      packed_[panel + at] = values[out * inputs + in];
    }
  }
}

void ByteMatrix::multiply(const std::uint8_t* bytes, std::size_t rows, std::int32_t* sums) const {
  kernel().multiply(packed_.data(), {padded_inputs_, padded_outputs_}, bytes, rows, sums);
}

const char* byte_product_kernel() { return kernel().name; }

}  // namespace tcrops::nn

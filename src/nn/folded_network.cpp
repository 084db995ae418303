#include "folded_network.hpp"

#include "activation.hpp"
#include "vector_class.hpp"

#include <algorithm>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tcrops::nn {
namespace {

constexpr std::size_t kLanes = 16;  // outputs side by side

// Where a tile reads and writes; strides in numbers.
struct Place {
  const float* weights;  // its first panel
  const float* bias;
  const float* rows;
  std::size_t row_stride;
  float* to;
  std::size_t to_stride;
  std::size_t inputs;
};
using Tile = void (*)(const Place& place);

// What every kernel computes; without fused products, as older processors have none.
void one_plain(const Place& place) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    float sum = place.bias[lane];
    for (std::size_t i = 0; i < place.inputs; ++i)
      sum += place.weights[i * kLanes + lane] * place.rows[i];
    place.to[lane] = sum;
  }
}

#if defined(__x86_64__)
// kRows rows and kPanels panels of outputs at a time: their sums stay in registers.
template <std::size_t kRows, std::size_t kPanels>
__attribute__((target("avx512f"))) void tile_avx512(const Place& place) {
  const std::size_t panel = place.inputs * kLanes;
  __m512 sums[kRows][kPanels];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t p = 0; p < kPanels; ++p) sums[r][p] = _mm512_loadu_ps(place.bias + p * kLanes);
  }
  for (std::size_t i = 0; i < place.inputs; ++i) {
    __m512 weights[kPanels];
    for (std::size_t p = 0; p < kPanels; ++p)
      weights[p] = _mm512_loadu_ps(place.weights + p * panel + i * kLanes);
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 value = _mm512_set1_ps(place.rows[r * place.row_stride + i]);
      for (std::size_t p = 0; p < kPanels; ++p)
        sums[r][p] = _mm512_fmadd_ps(weights[p], value, sums[r][p]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t p = 0; p < kPanels; ++p)
      _mm512_storeu_ps(place.to + r * place.to_stride + p * kLanes, sums[r][p]);
  }
}

// The two halves of one panel.
template <std::size_t kRows>
__attribute__((target("avx2,fma"))) void tile_avx2(const Place& place) {
  constexpr std::size_t kHalf = kLanes / 2;
  __m256 sums[kRows][2];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t h = 0; h < 2; ++h) sums[r][h] = _mm256_loadu_ps(place.bias + h * kHalf);
  }
  for (std::size_t i = 0; i < place.inputs; ++i) {
    __m256 weights[2];
    for (std::size_t h = 0; h < 2; ++h)
      weights[h] = _mm256_loadu_ps(place.weights + i * kLanes + h * kHalf);
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m256 value = _mm256_set1_ps(place.rows[r * place.row_stride + i]);
      for (std::size_t h = 0; h < 2; ++h)
        sums[r][h] = _mm256_fmadd_ps(weights[h], value, sums[r][h]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t h = 0; h < 2; ++h)
      _mm256_storeu_ps(place.to + r * place.to_stride + h * kHalf, sums[r][h]);
  }
}
#endif

// Tiles of many rows and panels first, smaller ones at the edges.
struct Tiles {
  std::size_t rows_at_once;
  std::size_t panels_at_once;
  Tile whole;
  Tile one_row;    // all panels of a tile
  Tile one_panel;  // all rows of a tile
  Tile single;
};

Tiles tiles_of_this_processor() {
#if defined(__x86_64__)
  if (vector_class() == VectorClass::kAvx512)
    return {8, 2, tile_avx512<8, 2>, tile_avx512<1, 2>, tile_avx512<8, 1>, tile_avx512<1, 1>};
  if (vector_class() == VectorClass::kAvx2)
    return {6, 1, tile_avx2<6>, tile_avx2<1>, tile_avx2<6>, tile_avx2<1>};
#endif
  return {1, 1, one_plain, one_plain, one_plain, one_plain};
}

const Tiles& tiles() {
  static const Tiles made = tiles_of_this_processor();
  return made;
}

std::size_t rounded_up(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

}  // namespace

FoldedNetwork::FoldedNetwork(std::span<const Linear> layers, std::string activation)
    : activation_(std::move(activation)) {
  for (const Linear& linear : layers) {
    const std::size_t outputs = linear.bias.size();
    const std::size_t inputs = linear.weights.size() / outputs;
    Layer layer{inputs, rounded_up(outputs), {}, {}};
    layer.weights.resize(layer.outputs * inputs);
    layer.bias.resize(layer.outputs);
    std::copy(linear.bias.begin(), linear.bias.end(), layer.bias.begin());
    for (std::size_t out = 0; out < outputs; ++out) {
      float* const panel = layer.weights.data() + out / kLanes * inputs * kLanes;
      for (std::size_t in = 0; in < inputs; ++in)
        panel[in * kLanes + out % kLanes] = linear.weights[out * inputs + in];
    }
    layers_.push_back(std::move(layer));
  }
}

void FoldedNetwork::logits(std::span<const float> features, std::span<float> logits) {
  const Tiles& kernels = tiles();
  for (std::size_t first = 0; first < logits.size(); first += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, logits.size() - first);
    const float* from = features.data() + first * inputs();
    std::size_t stride = inputs();
    for (const Layer& layer : layers_) {
      values_.resize(std::max(values_.size(), rows * layer.outputs));
      for (std::size_t out = 0; out < layer.outputs;) {
        const bool wide = out + kernels.panels_at_once * kLanes <= layer.outputs;
        for (std::size_t row = 0; row < rows;) {
          const bool tall = row + kernels.rows_at_once <= rows;
          const Tile tile = wide ? (tall ? kernels.whole : kernels.one_row)
                                 : (tall ? kernels.one_panel : kernels.single);
          tile({layer.weights.data() + out * layer.inputs, layer.bias.data() + out,
                from + row * stride, stride, values_.data() + row * layer.outputs + out,
                layer.outputs, layer.inputs});
          row += tall ? kernels.rows_at_once : 1;
        }
        out += wide ? kernels.panels_at_once * kLanes : kLanes;
      }
      if (&layer != &layers_.back())
        activate(std::span(values_).first(rows * layer.outputs), activation_);
      std::swap(values_, before_);
      from = before_.data();
      stride = layer.outputs;
    }
    for (std::size_t row = 0; row < rows; ++row) logits[first + row] = from[row * stride];
  }
}

}  // namespace tcrops::nn

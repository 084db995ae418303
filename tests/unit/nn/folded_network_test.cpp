#include "folded_network.hpp"

#include "activation.hpp"

#include <tcrops/core/rng.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

using tcrops::Rng;
using tcrops::nn::FoldedNetwork;

namespace {

struct Plain {
  std::vector<std::size_t> widths;
  std::vector<std::vector<float>> weights;
  std::vector<std::vector<float>> bias;

  explicit Plain(std::vector<std::size_t> of) : widths(std::move(of)) {
    Rng random(7, "weights");
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const double scale = 1.0 / std::sqrt(static_cast<double>(widths[i]));
      auto& matrix = weights.emplace_back(widths[i] * widths[i + 1]);
      for (float& value : matrix) value = static_cast<float>(random.normal() * scale);
      for (float& value : bias.emplace_back(widths[i + 1]))
        value = static_cast<float>(random.normal());
    }
  }

  [[nodiscard]] FoldedNetwork network(const std::string& activation) const {
    std::vector<FoldedNetwork::Linear> layers;
    for (std::size_t i = 0; i < weights.size(); ++i) layers.push_back({weights[i], bias[i]});
    return {layers, activation};
  }

  [[nodiscard]] double logit(std::span<const float> row) const {
    std::vector<double> values(row.begin(), row.end());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      std::vector<double> next(bias[i].begin(), bias[i].end());
      for (std::size_t out = 0; out < next.size(); ++out) {
        for (std::size_t in = 0; in < values.size(); ++in)
          next[out] += static_cast<double>(weights[i][out * values.size() + in]) * values[in];
        if (i + 1 < weights.size() && next[out] < 0.0) next[out] = std::expm1(next[out]);
      }
      values = std::move(next);
    }
    return values.front();
  }
};

std::vector<float> random_rows(std::size_t count) {
  std::vector<float> rows(count);
  Rng random(8, "rows");
  for (float& value : rows) value = static_cast<float>(random.uniform() * 2.0 - 1.0);
  return rows;
}

}  // namespace

TEST_CASE("a folded network computes its layers") {
  for (const auto& widths : std::vector<std::vector<std::size_t>>{
           {1, 1}, {5, 3, 1}, {123, 113, 103, 1}, {33, 16, 17, 32, 1}, {40, 512, 48, 1}}) {
    const Plain plain(widths);
    FoldedNetwork network = plain.network("elu");
    CHECK(network.inputs() == widths.front());
    const std::size_t rows = 70;
    const auto features = random_rows(rows * widths.front());
    std::vector<float> logits(rows);
    network.logits(features, logits);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto own = std::span(features).subspan(row * widths.front(), widths.front());
      CHECK(static_cast<double>(logits[row]) == Approx(plain.logit(own)).margin(2e-6));
    }
  }
}

TEST_CASE("a row's logit does not depend on the rows beside it") {
  const Plain plain({97, 70, 33, 1});
  FoldedNetwork network = plain.network("elu");
  const std::size_t rows = 203;
  const auto features = random_rows(rows * 97);
  std::vector<float> all(rows);
  network.logits(features, all);
  for (const std::size_t size : {1UL, 2UL, 5UL, 8UL, 13UL, 64UL, 100UL}) {
    for (std::size_t first = 0; first < rows; first += size) {
      const std::size_t count = std::min(size, rows - first);
      std::vector<float> some(count);
      network.logits(std::span(features).subspan(first * 97, count * 97), some);
      for (std::size_t i = 0; i < count; ++i) REQUIRE(some[i] == all[first + i]);
    }
  }
}

TEST_CASE("what is no number stays none, through every activation") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* activation : {"relu", "elu", "gelu", "tanh", "sigmoid"}) {
    std::vector<float> values(40, 0.5F);
    values[3] = values[39] = nan;
    tcrops::nn::activate(values, activation);
    CHECK(std::isnan(values[3]));
    CHECK(std::isnan(values[39]));
    CHECK_FALSE(std::isnan(values[4]));
  }
  Plain broken({8, 8, 1});
  broken.weights[0][5] = nan;
  FoldedNetwork network = broken.network("relu");
  std::vector<float> logits(3);
  network.logits(random_rows(24), logits);
  CHECK(std::isnan(logits[2]));
}

#pragma once

#include <tcrops/core/rng.hpp>
#include <tcrops/nn/core.hpp>

#include <cstring>
#include <error_code.hpp>
#include <string>
#include <vector>

// Numbers that are features as they are.
inline tcrops::data::Expansion plain(std::int64_t width) {
  tcrops::data::Expansion expansion;
  expansion.add_numbers(static_cast<std::size_t>(width));
  return expansion;
}

// The nets that take any numbers; others know columns.
inline const std::vector<std::string>& paper_nets() {
  static const std::vector<std::string> names = {"mlp_small", "mlp_medium", "mlp_large"};
  return names;
}

// Random rows whose label is the sign of a fixed linear form.
struct Problem {
  std::int64_t width;
  tcrops::data::EncodedRows rows;
  std::vector<std::uint8_t> labels;

  Problem(std::int64_t count, std::int64_t columns, std::uint64_t seed, double threshold = 0.0)
      : width(columns) {
    tcrops::Rng form(1, "form");
    std::vector<double> weights;
    for (std::int64_t i = 0; i < columns; ++i) weights.push_back(form.normal());
    tcrops::Rng rng(seed, "rows");
    rows.rows = static_cast<std::size_t>(count);
    rows.number_width = static_cast<std::size_t>(columns);
    for (std::int64_t row = 0; row < count; ++row) {
      double sum = 0;
      for (const double weight : weights) {
        rows.numbers.push_back(static_cast<float>(rng.normal()));
        sum += weight * static_cast<double>(rows.numbers.back());
      }
      labels.push_back(sum > threshold ? 1 : 0);
    }
  }

  [[nodiscard]] tcrops::nn::Examples examples() const { return {&rows, labels}; }
};

// All weights as bytes.
inline std::string bytes_of(const tcrops::nn::Network& network) {
  return tcrops::nn::write_safetensors(network.weights());
}

// Equal bit for bit, also where both are not a number.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

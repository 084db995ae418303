#pragma once

#include "dataset.hpp"

#include <tcrops/nn/core.hpp>
#include <tcrops/nn/model_spec.hpp>

namespace tcrops::stages {

// What a network is made for: its specification, and the rows it is built upon.
struct Blueprint {
  nn::ModelSpec spec;
  nn::Foundation foundation;
};

// From the rows that train it: heads for the epitopes that have a binder among them, sorted;
// anchors are rows with different codes, binding ones first, chosen by the seed where there are
// more than options.anchors. Throws as nn::make_spec.
[[nodiscard]] Blueprint blueprint(const nn::NetworkOptions& options,
                                  const data::Expansion& expansion, const SideData& train,
                                  std::uint64_t seed);

}  // namespace tcrops::stages

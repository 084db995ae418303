#pragma once

#include "body.hpp"

#include <tcrops/nn/core.hpp>

#include <vector>

namespace tcrops::nn {

// As Network::attributions says, for rows that have passed data::check_rows.
[[nodiscard]] Attributions integrated_gradients(Body& body, const ModelSpec& spec,
                                                const data::Expansion& expansion,
                                                const DeviceExpansion& on_device,
                                                const at::Device& device,
                                                const data::EncodedRows& rows, std::int64_t steps);

}  // namespace tcrops::nn

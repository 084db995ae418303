#pragma once

#include <span>
#include <string>

namespace tcrops::nn {

// Values become an activation of activation_names() of them, as networks that score rows by
// themselves compute it. The same bits on every processor.
void activate(std::span<float> values, const std::string& activation);

}  // namespace tcrops::nn

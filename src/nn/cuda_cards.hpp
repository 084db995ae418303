#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::nn {

// The cards that a value of CUDA_VISIBLE_DEVICES names, as numbers in the driver's order: entry i
// is the card that CUDA calls i. As CUDA does, reading ends at the first entry that is no card, so
// "" and "-1" name none. nullopt when cards are named otherwise ("GPU-…", "MIG-…").
[[nodiscard]] std::optional<std::vector<int>> listed_cards(std::string_view value);

// Whether the driver shows a card and CUDA_VISIBLE_DEVICES does not hide them all. Known without
// loading CUDA.
[[nodiscard]] bool card_visible();
[[nodiscard]] bool driver_shows_card();

// "nvidia-h200" for the card that CUDA calls `index`; "unknown" when the driver does not say.
[[nodiscard]] std::string card_family(int index);

}  // namespace tcrops::nn

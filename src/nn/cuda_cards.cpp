#include "cuda_cards.hpp"

#include <tcrops/core/text.hpp>

#include <system_error>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

namespace tcrops::nn {
namespace {

// nullopt also where the variable is not set: no card is hidden.
std::optional<std::vector<int>> cards_of_environment() {
  const char* value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value == nullptr ? std::nullopt : listed_cards(value);
}

}  // namespace

bool driver_shows_card() {
  std::error_code failed;
  return std::filesystem::exists("/dev/nvidia0", failed) ||
         std::filesystem::exists("/dev/nvidiactl", failed);
}

std::optional<std::vector<int>> listed_cards(std::string_view value) {
  std::vector<int> cards;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view entry = trim(value.substr(0, comma));
    if (entry.starts_with("GPU-") || entry.starts_with("MIG-")) return std::nullopt;
    const auto number = parse_integer(entry);
    if (!number || *number < 0 || *number > std::numeric_limits<int>::max()) return cards;
    cards.push_back(static_cast<int>(*number));
    if (comma == std::string_view::npos) return cards;
    value.remove_prefix(comma + 1);
  }
}

bool card_visible() {
  const auto listed = cards_of_environment();
  return driver_shows_card() && !(listed && listed->empty());
}

// The driver lists cards by bus address, and core_loader.cpp has CUDA count them so too.
std::string card_family(int index) {
  auto position = static_cast<std::size_t>(index);
  if (const auto listed = cards_of_environment()) {
    if (position >= listed->size()) return "unknown";
    position = static_cast<std::size_t>((*listed)[position]);
  }
  std::error_code failed;
  std::vector<std::filesystem::path> cards;
  for (std::filesystem::directory_iterator entry("/proc/driver/nvidia/gpus", failed), end;
       !failed && entry != end; entry.increment(failed)) {
    cards.push_back(entry->path());
  }
  std::sort(cards.begin(), cards.end());
  if (position >= cards.size()) return "unknown";
  std::ifstream information(cards[position] / "information");
  for (std::string line; std::getline(information, line);) {
    constexpr std::string_view kKey = "Model:";
    if (!line.starts_with(kKey)) continue;
    std::string model = to_lower(trim(std::string_view(line).substr(kKey.size())));
    std::replace(model.begin(), model.end(), ' ', '-');
    return model;
  }
  return "unknown";
}

}  // namespace tcrops::nn

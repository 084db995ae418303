#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/nn/core.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tcrops::nn {

// The shared object that core() opens. Throws Error (kFailure) when it is missing.
[[nodiscard]] std::filesystem::path core_library();

// The LibTorch side as it was found.
struct CoreHealth {
  Json description;  // Core::describe()
  ProductSpeed products;
};

// Opens core() in a process of its own, because a damaged library can end the one that opens it.
// Call it while the process has one thread. Throws Error (kFailure) that names the library when it
// cannot be used.
[[nodiscard]] CoreHealth examine_core();

// What there is to compute on, without loading LibTorch.
struct DeviceHealth {
  std::string automatic;           // what "auto" means: "cpu" or "cuda:0"
  bool built_with_cuda = false;    // whether this build can use a card
  bool driver_shows_card = false;  // whether there is one, hidden or not
  bool card_visible = false;       // and CUDA_VISIBLE_DEVICES does not hide it
  std::vector<std::string> cards;  // families of the visible ones that the driver names
};
[[nodiscard]] DeviceHealth examine_devices();

}  // namespace tcrops::nn

#pragma once

#include <tcrops/nn/core.hpp>

namespace tcrops::nn {

// Counted up whenever Core, Network, Host or a type they pass changes: the program and the shared
// object must have been built together.
inline constexpr int kCoreAbi = 7;

// What the shared object needs from the program. It has its own copy of the static parts of tcrops,
// so a flag that a signal handler sets in the program would never be seen there.
struct Host {
  void (*check_interrupt)();
  // Rows that inference computes together on the CPU. See the note in core_loader.cpp.
  std::int64_t block_rows;
};

// The one symbol of the shared object: its core, which lives as long as the process; null when
// `abi` is another than the one it was built with.
inline constexpr const char* kFactoryName = "tcrops_nn_core";
using Factory = Core* (*)(int abi, const Host* host);

}  // namespace tcrops::nn

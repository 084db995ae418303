#pragma once

#include <string>

namespace tcrops::nn {

// Where the arithmetic runs. Known without loading LibTorch.
struct Device {
  bool cuda = false;
  int index = 0;

  [[nodiscard]] std::string name() const;  // "cpu" or "cuda:0"
};

// "auto" takes CUDA when this build has it, the driver shows a card and CUDA_VISIBLE_DEVICES does
// not hide it, else the CPU; "cpu";
// "cuda" or "cuda:N". Throws Error: kConfiguration for another text, kFailure when CUDA is asked
// for and this build or machine has none (never a silent fallback).
[[nodiscard]] Device resolve_device(const std::string& text);

// Results are equal byte for byte only within one class: processor family, the widest vector
// instructions and which arithmetic this program does itself, or the CUDA card's family. Part of
// every reuse key that involves arithmetic.
[[nodiscard]] std::string backend_class(const Device& device);

}  // namespace tcrops::nn

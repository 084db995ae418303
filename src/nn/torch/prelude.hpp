#pragma once

// What our LibTorch files use of it, and nothing more: an empty file with all of torch/torch.h
// needs 17 s to compile. ivalue.h must come first: in LibTorch 1.13 others use IValue while it is
// incomplete.
// clang-format off
#include <ATen/core/ivalue.h>
#include <ATen/ATen.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
// clang-format on

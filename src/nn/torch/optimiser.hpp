#pragma once

#include "state.hpp"

#include <tcrops/nn/train_options.hpp>

#include <string>
#include <vector>

namespace tcrops::nn {

// The optimisers of train_options.hpp, operation for operation as PyTorch's. Written out because
// what they remember must be the same named tensors for all of them: it goes into checkpoints.
class Optimiser {
 public:
  Optimiser(const torch::nn::Module& module, OptimiserOptions options);

  void zero_gradients();
  // After backward(): clips the gradients, then moves the parameters.
  void step(double learning_rate);

  // "step", then what is remembered of each parameter ("exp_avg.<name>", …); shared, not copied.
  [[nodiscard]] std::vector<StateTensor> memory() const;

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor first;   // exp_avg or momentum_buffer; may be undefined
    at::Tensor second;  // exp_avg_sq or square_avg; may be undefined
  };
  void clip();
  void adam(Slot& slot, const at::Tensor& gradient, double learning_rate) const;
  void sgd(Slot& slot, const at::Tensor& gradient, double learning_rate) const;
  void rmsprop(Slot& slot, const at::Tensor& gradient, double learning_rate) const;

  OptimiserOptions options_;
  std::vector<Slot> slots_;
  at::Tensor steps_;  // [1] long, on the CPU
};

}  // namespace tcrops::nn

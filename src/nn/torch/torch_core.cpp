#include "edge.hpp"
#include "state.hpp"
#include "torch_network.hpp"

#include <tcrops/nn/core.hpp>

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <chrono>

namespace tcrops::nn {
namespace {

// Throws Error (kFailure) when the card does not exist.
at::Device torch_device(const Device& device) {
  if (!device.cuda) return {at::kCPU};
  const int count = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  if (device.index >= count) {
    throw Error(
        ExitCode::kFailure,
        fmt::format("device \"{}\": LibTorch sees {} CUDA cards; use \"cpu\" or a lower number",
                    device.name(), count));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
}

// The library that computes the products, asked by name because LibTorch reports only "generic".
std::string blas_name() {
  for (const char* library : {"libblas.so.3", "libopenblas.so.0"}) {
    void* handle = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    const auto ask = [handle](const char* name) -> std::string {
      void* symbol = ::dlsym(handle, name);
      return symbol == nullptr ? "" : reinterpret_cast<const char* (*)()>(symbol)();
    };
    const std::string kernel = ask("openblas_get_corename");
    const std::string configuration = ask("openblas_get_config");
    ::dlclose(handle);
    // "OpenBLAS 0.3.21 NO_LAPACKE ..." -> its first two words.
    if (!kernel.empty()) {
      const std::size_t end = configuration.find(' ', configuration.find(' ') + 1);
      return fmt::format("{} {}", configuration.substr(0, end), kernel);
    }
    return fmt::format("{} (not OpenBLAS: slow)", library);
  }
  return at::hasMKL() ? "MKL" : "unknown";
}

// The file of the function that LibTorch's products end in; "" when it cannot be told.
std::string product_library() {
  Dl_info found{};
  void* symbol = ::dlsym(RTLD_DEFAULT, "sgemm_");
  if (symbol == nullptr || ::dladdr(symbol, &found) == 0 || found.dli_fname == nullptr) return "";
  return found.dli_fname;
}

// Rows of a batch times the weights of a wide layer, until kSeconds have passed.
double measure_gflops() {
  constexpr std::int64_t kRows = 2048;
  constexpr std::int64_t kWidth = 256;
  constexpr double kSeconds = 0.2;
  constexpr double kOperations = 2.0 * kRows * kWidth * kWidth;
  const at::NoGradGuard no_gradients;
  const at::Tensor rows = at::ones({kRows, kWidth});
  const at::Tensor weights = at::ones({kWidth, kWidth});
  at::Tensor product = at::mm(rows, weights);  // once untimed: buffers and pages
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::duration<double> seconds{};
  int done = 0;
  do {
    at::mm_out(product, rows, weights);
    ++done;
    seconds = std::chrono::steady_clock::now() - begin;
  } while (seconds.count() < kSeconds);
  constexpr double kGiga = 1e9;
  return kOperations * done / seconds.count() / kGiga;
}

Json cuda_version() {
  if (!at::hasCUDA()) return nullptr;
  const auto version = at::detail::getCUDAHooks().versionCUDART();
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

class TorchCore : public Core {
 public:
  explicit TorchCore(const Host& host) : host_(host) {
    at::set_num_threads(1);
    // oneDNN has an environment of its own that changes results, and nets this small do not need
    // it.
    at::globalContext().setUserEnabledMkldnn(false);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
  }

  std::unique_ptr<Network> create(const ModelSpec& spec, const data::Expansion& expansion,
                                  const Foundation& foundation, std::uint64_t seed,
                                  const Device& device) override {
    return at_edge("creating a network", [&] {
      std::shared_ptr<Body> body = make_body(spec, expansion);
      initialise(*body, spec, foundation, seed);
      return std::make_unique<TorchNetwork>(spec, expansion, std::move(body), torch_device(device),
                                            host_);
    });
  }

  std::unique_ptr<Network> load(const ModelSpec& spec, const data::Expansion& expansion,
                                std::span<const Tensor> weights, const Device& device) override {
    return at_edge("loading a network", [&] {
      std::shared_ptr<Body> body = make_body(spec, expansion);
      import_state(*body, weights);
      return std::make_unique<TorchNetwork>(spec, expansion, std::move(body), torch_device(device),
                                            host_);
    });
  }

  Json describe() const override {
    return at_edge("describing LibTorch", [] {
      return Json{{"libtorch", TORCH_VERSION},
                  {"blas", blas_name()},
                  {"cuda", cuda_version()},
                  {"threads", at::get_num_threads()}};
    });
  }

  ProductSpeed measure_products() const override {
    return at_edge("measuring LibTorch", [] {
      return ProductSpeed{.file = product_library(), .gflops = measure_gflops()};
    });
  }

 private:
  Host host_;
};

}  // namespace
}  // namespace tcrops::nn

// See host.hpp.
extern "C" tcrops::nn::Core* tcrops_nn_core(int abi, const tcrops::nn::Host* host) {
  if (abi != tcrops::nn::kCoreAbi) return nullptr;
  static tcrops::nn::TorchCore core(*host);
  return &core;
}

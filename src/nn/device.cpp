#include "cuda_cards.hpp"
#include "vector_class.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

namespace tcrops::nn {
namespace {

#ifdef TCROPS_CUDA
constexpr bool kBuiltWithCuda = true;
#else
constexpr bool kBuiltWithCuda = false;
#endif

constexpr int kMaximumIndex = 255;

#if defined(__x86_64__)
constexpr const char* kProcessorFamily = "x86_64";
#elif defined(__aarch64__)
constexpr const char* kProcessorFamily = "aarch64";
#else
constexpr const char* kProcessorFamily = "generic";
#endif

Device cuda_device(const std::string& text, int index) {
  if (!kBuiltWithCuda) {
    throw Error(
        ExitCode::kFailure,
        fmt::format(
            "device \"{}\": this build has no CUDA; use \"cpu\" or \"auto\", or build with a "
            "CUDA LibTorch",
            text));
  }
  if (!card_visible()) {
    throw Error(ExitCode::kFailure,
                fmt::format("device \"{}\": no card is visible (no /dev/nvidia0, or "
                            "CUDA_VISIBLE_DEVICES hides all); use \"cpu\" or "
                            "\"auto\", or run where one is",
                            text));
  }
  return {.cuda = true, .index = index};
}

}  // namespace

VectorClass vector_class() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return VectorClass::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return VectorClass::kAvx2;
#endif
  return VectorClass::kBaseline;
}

std::string_view vector_class_name(VectorClass value) {
  switch (value) {
    case VectorClass::kAvx512:
      return "avx512";
    case VectorClass::kAvx2:
      return "avx2";
    case VectorClass::kBaseline:
      break;
  }
  return "baseline";
}

std::string Device::name() const { return cuda ? fmt::format("cuda:{}", index) : "cpu"; }

Device resolve_device(const std::string& text) {
  if (text == "cpu") return {};
  if (text == "auto") return {.cuda = kBuiltWithCuda && card_visible(), .index = 0};
  if (text == "cuda") return cuda_device(text, 0);
  constexpr std::string_view kPrefix = "cuda:";
  if (text.starts_with(kPrefix)) {
    const auto index = parse_integer(std::string_view(text).substr(kPrefix.size()));
    if (index && *index >= 0 && *index <= kMaximumIndex) {
      return cuda_device(text, static_cast<int>(*index));
    }
  }
  throw Error(ExitCode::kConfiguration,
              fmt::format("device \"{}\" is not known; use \"auto\", \"cpu\", \"cuda\" or "
                          "\"cuda:N\" with N from 0 to {}",
                          text, kMaximumIndex));
}

namespace {

// Another one whenever the same network gives other bits. 2: FoldedNetwork scores plain ones.
constexpr int kCpuArithmetic = 2;

}  // namespace

std::string backend_class(const Device& device) {
  if (device.cuda) return "cuda-" + card_family(device.index);
  return fmt::format("cpu-{}-{}-{}", kProcessorFamily, vector_class_name(vector_class()),
                     kCpuArithmetic);
}

}  // namespace tcrops::nn

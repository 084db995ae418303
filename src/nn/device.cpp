#include "vector_class.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>
#include <system_error>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

namespace tcrops::nn {
namespace {

#ifdef TCROPS_CUDA
constexpr bool kBuiltWithCuda = true;
#else
constexpr bool kBuiltWithCuda = false;
#endif

constexpr int kMaximumIndex = 255;

bool driver_shows_card() {
  std::error_code failed;
  return std::filesystem::exists("/dev/nvidia0", failed) ||
         std::filesystem::exists("/dev/nvidiactl", failed);
}

#if defined(__x86_64__)
constexpr const char* kProcessorFamily = "x86_64";
#elif defined(__aarch64__)
constexpr const char* kProcessorFamily = "aarch64";
#else
constexpr const char* kProcessorFamily = "generic";
#endif

// "NVIDIA H200" -> "nvidia-h200". The driver lists cards by bus address.
std::string card_family(int index) {
  std::error_code failed;
  std::vector<std::filesystem::path> cards;
  for (std::filesystem::directory_iterator entry("/proc/driver/nvidia/gpus", failed), end;
       !failed && entry != end; entry.increment(failed)) {
    cards.push_back(entry->path());
  }
  std::sort(cards.begin(), cards.end());
  if (static_cast<std::size_t>(index) >= cards.size()) return "unknown";
  std::ifstream information(cards[static_cast<std::size_t>(index)] / "information");
  for (std::string line; std::getline(information, line);) {
    constexpr std::string_view kKey = "Model:";
    if (!line.starts_with(kKey)) continue;
    std::string model = to_lower(trim(std::string_view(line).substr(kKey.size())));
    std::replace(model.begin(), model.end(), ' ', '-');
    return model;
  }
  return "unknown";
}

Device cuda_device(const std::string& text, int index) {
  if (!kBuiltWithCuda) {
    throw Error(
        ExitCode::kFailure,
        fmt::format(
            "device \"{}\": this build has no CUDA; use \"cpu\" or \"auto\", or build with a "
            "CUDA LibTorch",
            text));
  }
  if (!driver_shows_card()) {
    throw Error(
        ExitCode::kFailure,
        fmt::format(
            "device \"{}\": the NVIDIA driver shows no card (no /dev/nvidia0); use \"cpu\" or "
            "\"auto\", or run where a card is visible",
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
  if (text == "auto") return {.cuda = kBuiltWithCuda && driver_shows_card(), .index = 0};
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

std::string backend_class(const Device& device) {
  if (device.cuda) return "cuda-" + card_family(device.index);
  return fmt::format("cpu-{}-{}", kProcessorFamily, vector_class_name(vector_class()));
}

}  // namespace tcrops::nn

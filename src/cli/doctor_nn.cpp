#include "build_info.hpp"
#include "doctor.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/core/version.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/nn/health.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tcrops::cli {
namespace {

#if defined(__OPTIMIZE__)
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif

std::string processor_model() {
  try {
    for (const std::string& line : split(read_file("/proc/cpuinfo", ExitCode::kFailure), '\n')) {
      const auto colon = line.find(':');
      if (line.starts_with("model name") && colon != std::string::npos) {
        return std::string(trim(std::string_view(line).substr(colon + 1)));
      }
    }
  } catch (const Error&) {
    // Its class is known all the same.
  }
  return "unknown processor";
}

Check blas_check(const nn::CoreHealth& core) {
  const std::string name = core.description.at("blas").get<std::string>();
  Check check;
  check.found = fmt::format("{}; {:.3g} GFLOP/s on one thread", name, core.products.gflops);
  check.facts = {{"name", name}, {"file", core.products.file}, {"gflops", core.products.gflops}};
  if (!name.starts_with("OpenBLAS") && !name.starts_with("MKL")) {
    note(check, Status::kWarning,
         fmt::format("training is about 6x slower than with OpenBLAS ({})", core.products.file),
         "install libopenblas0-pthread; if it is installed, choose it with `update-alternatives "
         "--config libblas.so.3-$(uname -m)-linux-gnu` and look at LD_LIBRARY_PATH and LD_PRELOAD");
  }
  return check;
}

}  // namespace

Check check_program() {
  const std::string backend = nn::backend_class({});
  Check check;
  check.found = fmt::format("tcrops {} ({}), {}; numeric class {}", version(), revision(),
                            compiler_text(), backend);
  check.facts = {{"version", version()},
                 {"revision", revision()},
                 {"compiler", compiler_text()},
                 {"optimised", kOptimised},
                 {"backend_class", backend},
                 {"vector_instructions", backend.substr(backend.rfind('-') + 1)}};
  if (!kOptimised) {
    note(check, Status::kWarning, "built without optimisation: slow",
         "build with scripts/build release");
  }
  return check;
}

LibtorchChecks check_libtorch() {
  LibtorchChecks checks;
  nn::CoreHealth core;
  try {
    core = nn::examine_core();
  } catch (const std::exception& e) {
    note(checks.libtorch, Status::kFailed, e.what(),
         "install the whole package again, with LibTorch; until then only what needs no tensors "
         "works");
    note(checks.blas, Status::kFailed, "cannot be examined without LibTorch", "see libtorch");
    return checks;
  }
  const Json& about = core.description;
  const Json& cuda = about.at("cuda");
  checks.libtorch.found =
      fmt::format("{}, {}, threads: {}; {}", about.at("libtorch").get<std::string>(),
                  cuda.is_string() ? "CUDA " + cuda.get<std::string>() : "without CUDA",
                  about.at("threads").dump(), nn::core_library().string());
  checks.libtorch.facts = {{"version", about.at("libtorch")},
                           {"cuda", cuda},
                           {"threads", about.at("threads")},
                           {"path", nn::core_library().string()}};
  checks.blas = blas_check(core);
  return checks;
}

Check check_device() {
  const nn::DeviceHealth devices = nn::examine_devices();
  Check check;
  check.found = fmt::format("{}; ", processor_model());
  if (!devices.driver_shows_card)
    check.found += "no CUDA card";
  else if (!devices.card_visible)
    check.found += "CUDA cards hidden by CUDA_VISIBLE_DEVICES";
  else if (devices.cards.empty())
    check.found += "a CUDA card";
  else
    check.found += fmt::format("{}", fmt::join(devices.cards, ", "));
  check.found += fmt::format("; device \"auto\" is {}", devices.automatic);
  check.facts = {{"processor", processor_model()},
                 {"auto", devices.automatic},
                 {"built_with_cuda", devices.built_with_cuda},
                 {"card_visible", devices.card_visible},
                 {"cards", devices.cards}};
  if (devices.card_visible && !devices.built_with_cuda) {
    note(check, Status::kWarning, "this build's LibTorch is for processors only",
         "build with a CUDA LibTorch to use the card; results are right without it");
  }
  return check;
}

}  // namespace tcrops::cli

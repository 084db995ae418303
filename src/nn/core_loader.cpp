#include "host.hpp"
#include "vector_class.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/nn/core.hpp>
#include <tcrops/nn/health.hpp>

#include <dlfcn.h>
#include <fmt/format.h>
#include <system_error>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace tcrops::nn {
namespace {

constexpr const char* kLibrary = "libtcrops_nn_torch.so";

// What ATen and OpenBLAS call the kernels of a vector class; null leaves the choice to OpenBLAS.
struct Kernels {
  const char* aten;
  const char* openblas;
};

// ATen itself takes AVX2 on AVX-512 processors too unless told otherwise; only the products gain
// from more. Where there are no vector instructions to name: the oldest kernels that OpenBLAS has
// for the architecture, which run on all of its processors.
Kernels kernels(VectorClass value) {
  if (value == VectorClass::kAvx512) return {"avx2", "SkylakeX"};
  if (value == VectorClass::kAvx2) return {"avx2", "Haswell"};
#if defined(__x86_64__)
  return {"default", "Prescott"};
#elif defined(__aarch64__)
  return {"default", "ARMV8"};
#else
  return {"default", nullptr};
#endif
}

std::vector<std::string> variables_of_the_blas() {
  std::vector<std::string> names;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    for (const char* family : {"OPENBLAS_", "GOTO_", "MKL_"}) {
      if (name.starts_with(family)) names.push_back(name);
    }
  }
  return names;
}

// The arithmetic libraries read these once, when they are loaded; what the user has set would
// change results. One thread per caller: on nets this small a second one makes training four times
// slower, and trials run in parallel instead. The kernels are named because backend_class() then
// says which they were, and because OpenBLAS chooses by processor model and takes AVX2 on AVX-512
// processors that it does not know (half the speed).
void prepare_environment() {
  // Sizes of blocks and the like decide in which order sums are taken.
  for (const std::string& name : variables_of_the_blas()) ::unsetenv(name.c_str());
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  ::setenv("OMP_NUM_THREADS", "1", 1);
  ::setenv("MKL_NUM_THREADS", "1", 1);
  const Kernels names = kernels(vector_class());
  ::setenv("ATEN_CPU_CAPABILITY", names.aten, 1);
  if (names.openblas != nullptr) ::setenv("OPENBLAS_CORETYPE", names.openblas, 1);
  // What cuBLAS needs to give the same sums on every run, in full single precision.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 1);
  ::setenv("NVIDIA_TF32_OVERRIDE", "0", 1);
  // Cards are counted as the driver lists them: backend_class() names the one that computes.
  ::setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
}

// A row's logit must not depend on the rows beside it. That holds when every product has the same
// number of rows and the kernel treats each of them alike: measured, OpenBLAS's AVX-512 kernel does
// so for any multiple of 16 (and is fastest from 256), its AVX2 kernel only for 16, its SSE3 kernel
// (Prescott) for 16.
std::int64_t block_rows() { return vector_class() == VectorClass::kAvx512 ? 256 : 16; }

}  // namespace

std::filesystem::path core_library() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) {
    throw Error(ExitCode::kFailure,
                fmt::format("/proc/self/exe: {}; mount /proc so that {} can be found",
                            failed.message(), kLibrary));
  }
  const std::filesystem::path folder = program.parent_path();
  const std::vector<std::filesystem::path> places = {
      folder / kLibrary, folder.parent_path() / "lib" / "tcrops" / kLibrary};
  for (const auto& place : places) {
    if (std::filesystem::exists(place, failed)) return place;
  }
  throw Error(
      ExitCode::kFailure,
      fmt::format("{} is missing: neither {} nor {} exists; this command computes with LibTorch, "
                  "so install the whole package or build with TCROPS_NN=ON",
                  kLibrary, places[0].string(), places[1].string()));
}

namespace {

std::string last_dl_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown error" : text;
}

Core& open_core() {
  const std::filesystem::path path = core_library();
  prepare_environment();
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw Error(
        ExitCode::kFailure,
        fmt::format(
            "{}: cannot be loaded: {}; install libtorch, or the package this file came with",
            path.string(), last_dl_error()));
  }
  void* symbol = ::dlsym(handle, kFactoryName);
  if (symbol == nullptr) {
    throw Error(ExitCode::kFailure, fmt::format("{}: {}; reinstall it with the program",
                                                path.string(), last_dl_error()));
  }
  static const Host host{&check_interrupt, block_rows()};
  Core* core = reinterpret_cast<Factory>(symbol)(kCoreAbi, &host);
  if (core == nullptr) {
    throw Error(ExitCode::kFailure,
                fmt::format("{}: belongs to another version of the program (wanted interface {}); "
                            "reinstall both together",
                            path.string(), kCoreAbi));
  }
  return *core;
}

}  // namespace

Core& core() {
  static Core& instance = open_core();
  return instance;
}

}  // namespace tcrops::nn

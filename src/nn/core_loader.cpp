#include "host.hpp"
#include "vector_class.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/nn/core.hpp>

#include <dlfcn.h>
#include <fmt/format.h>
#include <system_error>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace tcrops::nn {
namespace {

constexpr const char* kLibrary = "libtcrops_nn_torch.so";

// The arithmetic libraries read these once, when they are loaded. One thread per caller: on nets
// this small a second one makes training four times slower, and trials run in parallel instead. The
// kernel is named because OpenBLAS chooses by processor model and takes AVX2 on AVX-512 processors
// that it does not know (half the speed), and because backend_class() then says which kernel it
// was.
void prepare_environment() {
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  ::setenv("OMP_NUM_THREADS", "1", 1);
  ::setenv("MKL_NUM_THREADS", "1", 1);
  if (vector_class() == VectorClass::kAvx512) ::setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
  if (vector_class() == VectorClass::kAvx2) ::setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  // What cuBLAS needs to give the same sums on every run.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 1);
}

// A row's logit must not depend on the rows beside it. That holds when every product has the same
// number of rows and the kernel treats each of them alike: measured, OpenBLAS's AVX-512 kernel does
// so for any multiple of 16 (and is fastest from 256), its AVX2 kernel only for 16.
std::int64_t block_rows() { return vector_class() == VectorClass::kAvx512 ? 256 : 16; }

std::filesystem::path find_library() {
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

std::string last_dl_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown error" : text;
}

Core& open_core() {
  const std::filesystem::path path = find_library();
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

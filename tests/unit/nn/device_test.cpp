#include "catch_all.hpp"

#include <tcrops/nn/device.hpp>

#include <error_code.hpp>
#include <filesystem>

using namespace tcrops;
using namespace tcrops::nn;

TEST_CASE("device texts") {
  CHECK(resolve_device("cpu").name() == "cpu");
  CHECK(Device{true, 2}.name() == "cuda:2");
  const std::string automatic = resolve_device("auto").name();
  CHECK((automatic == "cpu" || automatic == "cuda:0"));
}

TEST_CASE("unknown device texts are configuration errors") {
  for (const std::string text :
       {"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:256", "cuda:1 ", "cuda0"}) {
    INFO(text);
    CHECK(error_code([&] { static_cast<void>(resolve_device(text)); }) == ExitCode::kConfiguration);
  }
}

TEST_CASE("asking for an absent card is a failure, never the CPU") {
  if (std::filesystem::exists("/dev/nvidia0")) return;
  CHECK(error_code([] { static_cast<void>(resolve_device("cuda")); }) == ExitCode::kFailure);
  CHECK(error_code([] { static_cast<void>(resolve_device("cuda:1")); }) == ExitCode::kFailure);
  CHECK(resolve_device("auto").name() == "cpu");
}

TEST_CASE("backend classes tell processor and card apart") {
  const std::string cpu = backend_class({});
  CHECK(cpu.starts_with("cpu-"));
  CHECK(cpu == backend_class({}));
  CHECK(backend_class({true, 0}).starts_with("cuda-"));
}

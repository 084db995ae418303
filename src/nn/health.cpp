#include "cuda_cards.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/nn/health.hpp>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace tcrops::nn {
namespace {

constexpr unsigned kPatienceSeconds = 60;
constexpr int kMostCards = 256;
#ifdef TCROPS_CUDA
constexpr bool kBuiltWithCuda = true;
#else
constexpr bool kBuiltWithCuda = false;
#endif

// What the child says: {"description", "file", "gflops"} or {"error"}.
std::string child_answer() {
  Json answer;
  try {
    Core& opened = core();
    const ProductSpeed products = opened.measure_products();
    answer = {
        {"description", opened.describe()}, {"file", products.file}, {"gflops", products.gflops}};
  } catch (const std::exception& e) {
    answer = {{"error", e.what()}};
  }
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[noreturn]] void run_child(int output) {
  for (const int number : {SIGINT, SIGTERM, SIGALRM})
    static_cast<void>(std::signal(number, SIG_DFL));
  alarm(kPatienceSeconds);
  const std::string answer = child_answer();
  const auto size = static_cast<ssize_t>(answer.size());
  _exit(::write(output, answer.data(), answer.size()) == size ? 0 : 1);
}

std::string read_all(int input) {
  std::string bytes;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(input, buffer.data(), buffer.size());
    if (count > 0)
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
      return bytes;
  }
}

Error failure(const std::string& reason) {
  return {ExitCode::kFailure, fmt::format("{}: {}", core_library().string(), reason)};
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

CoreHealth examine_core() {
  static_cast<void>(core_library());
  std::array<int, 2> pipe_ends{};
  if (::pipe(pipe_ends.data()) != 0) throw failure(std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) {
    close(pipe_ends[0]);
    run_child(pipe_ends[1]);
  }
  close(pipe_ends[1]);
  const std::string bytes = child < 0 ? std::string() : read_all(pipe_ends[0]);
  close(pipe_ends[0]);
  if (child < 0) throw failure("cannot start a process to open it in");
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) {
    throw failure(fmt::format("opening it ends the program ({})", ::strsignal(WTERMSIG(status))));
  }
  const Json answer = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) throw failure("opening it ends the program");
  if (answer.contains("error")) {
    throw Error(ExitCode::kFailure, answer.at("error").get<std::string>());
  }
  return {.description = answer.at("description"),
          .products = {.file = answer.at("file").get<std::string>(),
                       .gflops = answer.at("gflops").get<double>()}};
}

DeviceHealth examine_devices() {
  DeviceHealth found{.automatic = resolve_device("auto").name(),
                     .built_with_cuda = kBuiltWithCuda,
                     .driver_shows_card = driver_shows_card(),
                     .card_visible = card_visible(),
                     .cards = {}};
  for (int index = 0; found.card_visible && index < kMostCards; ++index) {
    const std::string family = card_family(index);
    if (family == "unknown") break;
    found.cards.push_back(family);
  }
  return found;
}

}  // namespace tcrops::nn

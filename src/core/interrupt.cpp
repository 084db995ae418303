#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <signal.h>

#include <atomic>

namespace tcrops {
namespace {

std::atomic<int> received_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "written from a signal handler");

void remember(int number) { received_signal.store(number); }

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second signal ends the process at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_flags = 0;  // a scheduler may warn more than once
  sigaction(SIGUSR1, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a closed pipe shows as a failed write
}

bool interrupted() noexcept { return received_signal.load(std::memory_order_relaxed) != 0; }

void check_interrupt() {
  switch (received_signal.load(std::memory_order_relaxed)) {
    case 0:
      return;
    case SIGTERM:
      throw Error(ExitCode::kTerminated,
                  "terminated; what is finished is kept, the same command continues");
    case SIGUSR1:
      throw Error(ExitCode::kTemporary,
                  "asked to stop (SIGUSR1); what is finished is kept, the same command continues");
    default:
      throw Error(ExitCode::kInterrupted,
                  "interrupted; what is finished is kept, the same command continues");
  }
}

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&held_, number);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

HeldSignals::~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

int HeldSignals::wait(std::chrono::milliseconds timeout) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::nanoseconds rest = timeout - seconds;
  timespec limit{};
  limit.tv_sec = static_cast<time_t>(seconds.count());
  limit.tv_nsec = static_cast<long>(rest.count());
  const int number = sigtimedwait(&held_, nullptr, &limit);
  return number > 0 ? number : 0;
}

void HeldSignals::let_go() {
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace tcrops

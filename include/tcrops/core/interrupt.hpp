#pragma once

#include <signal.h>

#include <chrono>

namespace tcrops {

// From now on the first SIGINT or SIGTERM only sets a flag; the second ends the process. SIGUSR1,
// by which a scheduler says that time is running out, only ever sets it. Call once, from main,
// before threads start.
void install_interrupt_handlers();

// True once a signal has arrived. Safe from any thread.
[[nodiscard]] bool interrupted() noexcept;

// Throws Error (kInterrupted, kTerminated, or kTemporary for SIGUSR1) once a signal has arrived.
// Long loops call it at every point where stopping loses nothing; the same command then resumes.
void check_interrupt();

// While it lives, SIGINT, SIGTERM and SIGUSR1 interrupt nothing: they wait until somebody asks for
// them. For a server, which has accepted work to finish when the signal comes. Make it before other
// threads are started, which then leave signals to its owner, too.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // The next of them, or 0 when none comes in time.
  [[nodiscard]] int wait(std::chrono::milliseconds timeout) const;
  // From now on SIGINT and SIGTERM end the process at once. For the calling thread, which should be
  // the one that made it.
  void let_go();

 private:
  sigset_t held_;
  sigset_t before_;
};

}  // namespace tcrops

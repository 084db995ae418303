#pragma once

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

}  // namespace tcrops

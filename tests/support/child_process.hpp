#pragma once

#include <tcrops/core/error.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace tcrops::test {

// A forked copy of this process that runs `body` and exits with what it returns; with the code of
// the Error it throws; with 99 for anything else. Killed with the object when it still runs.
class ChildProcess {
 public:
  template <class Body>
  explicit ChildProcess(Body&& body) : process_(fork()) {
    if (process_ < 0) throw std::runtime_error("cannot fork");
    if (process_ == 0) _exit(run(body));
  }
  ~ChildProcess() {
    if (process_ > 0) kill_now();
  }
  ChildProcess(ChildProcess&& other) noexcept : process_(other.process_) { other.process_ = -1; }
  ChildProcess& operator=(ChildProcess&&) = delete;

  // The exit status, or 1000 + the number of the signal that ended it.
  int wait() {
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  void kill_now() {
    kill(process_, SIGKILL);
    wait();
  }

 private:
  template <class Body>
  static int run(Body& body) {
    try {
      return body();
    } catch (const Error& error) {
      return static_cast<int>(error.code());
    } catch (...) {
      return 99;
    }
  }

  pid_t process_;
};

}  // namespace tcrops::test

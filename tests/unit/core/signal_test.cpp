// What needs a process of its own: signals, and what goes to stderr.
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <catch_all.hpp>
#include <child_process.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <scratch_folder.hpp>
#include <thread>

namespace tcrops {
namespace {

using test::ChildProcess;

TEST_CASE("a signal only sets the flag, and check_interrupt ends the command with its code") {
  for (const auto& [number, code] : {std::pair{SIGTERM, 143}, std::pair{SIGINT, 130}}) {
    ChildProcess child([number = number] {
      install_interrupt_handlers();
      if (interrupted()) return 1;
      check_interrupt();
      raise(number);
      if (!interrupted()) return 2;
      check_interrupt();
      return 3;
    });
    CHECK(child.wait() == code);
  }
}

TEST_CASE("every thread sees the signal") {
  ChildProcess child([] {
    install_interrupt_handlers();
    bool seen = false;
    std::thread thread([&] {
      while (!interrupted()) std::this_thread::yield();
      seen = true;
    });
    raise(SIGTERM);
    thread.join();
    return seen ? 0 : 1;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("a second signal ends the process at once") {
  ChildProcess child([] {
    install_interrupt_handlers();
    raise(SIGINT);
    raise(SIGINT);
    return 0;
  });
  CHECK(child.wait() == 1000 + SIGINT);
}

TEST_CASE("a closed pipe is a failed write and not the end") {
  ChildProcess child([] {
    install_interrupt_handlers();
    int ends[2];
    if (pipe(ends) != 0) return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
  });
  CHECK(child.wait() == 0);
}

// What `body` writes to stderr, which is a file.
std::string messages_of(const std::function<void()>& body) {
  const test::ScratchFolder scratch;
  ChildProcess child([&] {
    const int file = open((scratch / "stderr").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(file, STDERR_FILENO);
    body();
    return 0;
  });
  CHECK(child.wait() == 0);
  return read_file(scratch / "stderr");
}

void say_everything() {
  log_debug("one {}");
  log_info("two");
  log_warning("three");
  log_error("four");
}

TEST_CASE("verbosity chooses what is said, without colour into a file") {
  CHECK(messages_of([] { say_everything(); }) == "info: two\nwarning: three\nerror: four\n");
  CHECK(messages_of([] {
          set_verbosity(Verbosity::kQuiet);
          say_everything();
        }) == "warning: three\nerror: four\n");
  CHECK(messages_of([] {
          set_verbosity(Verbosity::kVerbose);
          say_everything();
        }) == "debug: one {}\ninfo: two\nwarning: three\nerror: four\n");
}

TEST_CASE("progress into a file says nothing in the first seconds") {
  CHECK(messages_of([] {
          Progress progress("x", 10, "rows");
          for (std::uint64_t i = 0; i <= 10; ++i) progress.update(i);
        }).empty());
}

// What `body` writes to a terminal.
std::string drawn_by(const std::function<void()>& body) {
  const int screen = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(screen >= 0);
  REQUIRE(grantpt(screen) == 0);
  REQUIRE(unlockpt(screen) == 0);
  const int terminal = open(ptsname(screen), O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  ChildProcess child([&] {
    dup2(terminal, STDERR_FILENO);
    body();
    return 0;
  });
  CHECK(child.wait() == 0);
  fcntl(screen, F_SETFL, O_NONBLOCK);
  std::string text;
  char block[4096];
  for (ssize_t count = 0; (count = read(screen, block, sizeof block)) > 0;) {
    text.append(block, static_cast<std::size_t>(count));
  }
  close(terminal);
  close(screen);
  return text;
}

TEST_CASE("progress on a terminal draws a bar and takes it away") {
  const std::string text = drawn_by([] {
    Progress progress("train", 4, "epochs");
    progress.update(1, "loss 0.5");
    progress.update(4);
  });
  CHECK(text.find("train: [######..................] 1 of 4 epochs, 0 s left, loss 0.5") !=
        std::string::npos);
  CHECK(text.find("train: [########################] 4 of 4 epochs") != std::string::npos);
  CHECK(text.ends_with("\r\x1b[K"));
}

TEST_CASE("progress of unknown length is not redrawn at every step") {
  const std::string text = drawn_by([] {
    Progress progress("get", 0, "bytes");
    for (std::uint64_t i = 1; i <= 100; ++i) progress.update(i * 1000000);
  });
  CHECK(text.find("get: 1.0 MB") != std::string::npos);
  CHECK(text.size() < 200);
}

TEST_CASE("quiet progress draws nothing, and threads may share one") {
  CHECK(drawn_by([] {
          set_verbosity(Verbosity::kQuiet);
          Progress progress("x", 10, "rows");
          progress.update(10);
        }).empty());
  const std::string text = drawn_by([] {
    Progress progress("x", 1000, "rows");
    std::thread other([&] {
      for (std::uint64_t i = 0; i < 1000; i += 2) progress.update(i);
    });
    for (std::uint64_t i = 1; i < 1000; i += 2) progress.update(i);
    other.join();
    progress.update(1000);
  });
  CHECK(text.find("1000 of 1000 rows") != std::string::npos);
}

}  // namespace
}  // namespace tcrops

#pragma once

#include <tcrops/core/file.hpp>

#include <catch_all.hpp>
#include <child_process.hpp>
#include <filesystem>
#include <thread>
#include <vector>

namespace tcrops::store {

// All children begin together, so that they meet.
class StartingGun {
 public:
  explicit StartingGun(std::filesystem::path path) : path_(std::move(path)) {}
  void wait() const {
    while (!std::filesystem::exists(path_)) std::this_thread::yield();
  }
  void fire() const { write_file(path_, ""); }

 private:
  std::filesystem::path path_;
};

template <class Body>
void run_together(int processes, const StartingGun& gun, Body body) {
  std::vector<test::ChildProcess> children;
  for (int i = 0; i < processes; ++i) {
    children.emplace_back([&, i] {
      gun.wait();
      return body(i);
    });
  }
  gun.fire();
  for (test::ChildProcess& child : children) CHECK(child.wait() == 0);
}

}  // namespace tcrops::store

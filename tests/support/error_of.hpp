#pragma once

#include <tcrops/core/error.hpp>

#include <string>
#include <utility>

namespace tcrops::test {

// What `body` throws: its code and its text. kOk when it throws nothing.
struct Thrown {
  ExitCode code = ExitCode::kOk;
  std::string text;
  [[nodiscard]] bool says(const std::string& part) const {
    return text.find(part) != std::string::npos;
  }
};

template <class Body>
Thrown error_of(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace tcrops::test

#pragma once

#include <error_of.hpp>
#include <optional>
#include <utility>

// The code of the tcrops::Error that `body` throws; nothing when it throws none.
template <class Body>
std::optional<tcrops::ExitCode> error_code(Body&& body) {
  const auto thrown = tcrops::test::error_of(std::forward<Body>(body));
  if (thrown.code == tcrops::ExitCode::kOk) return std::nullopt;
  return thrown.code;
}

#pragma once

#include <tcrops/core/error.hpp>

#include <optional>

// The code of the tcrops::Error that `body` throws; nothing when it throws none.
template <class Body>
std::optional<tcrops::ExitCode> error_code(Body&& body) {
  try {
    body();
  } catch (const tcrops::Error& error) {
    return error.code();
  }
  return std::nullopt;
}

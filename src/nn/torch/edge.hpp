#pragma once

#include <tcrops/core/error.hpp>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace tcrops::nn {

// Calls `body` at the edge to LibTorch: whatever leaves it is a tcrops::Error. `action` says what
// was being done ("training").
template <class Body>
decltype(auto) at_edge(std::string_view action, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    // Its what() is a page of stack addresses.
    throw Error(ExitCode::kFailure,
                fmt::format("{}: LibTorch: {}", action, error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    throw Error(
        ExitCode::kFailure,
        fmt::format("{}: not enough memory; use a smaller batch or fewer parallel jobs", action));
  } catch (const std::exception& error) {
    throw Error(ExitCode::kFailure, fmt::format("{}: {}", action, error.what()));
  }
}

}  // namespace tcrops::nn

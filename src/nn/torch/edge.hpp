#pragma once

#include <tcrops/core/error.hpp>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace tcrops::nn {

// The processor's allocator has no type of its own for this; cards that are full report it in two
// ways.
inline bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  const std::string_view reason = error.what_without_backtrace();
  return reason.find("DefaultCPUAllocator: can't allocate memory") != std::string_view::npos ||
         reason.find("CUDA error: out of memory") != std::string_view::npos;
}

inline Error out_of_memory(std::string_view action) {
  return {ExitCode::kTemporary,
          fmt::format("{}: out of memory; use a machine with more, fewer parallel jobs, or a "
                      "smaller batch",
                      action)};
}

// Calls `body` at the edge to LibTorch: whatever leaves it is a tcrops::Error. `action` says what
// was being done ("training"); lack of memory is kTemporary.
template <class Body>
decltype(auto) at_edge(std::string_view action, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw out_of_memory(action);
    // Its what() is a page of stack addresses.
    throw Error(ExitCode::kFailure,
                fmt::format("{}: LibTorch: {}", action, error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    throw out_of_memory(action);
  } catch (const std::exception& error) {
    throw Error(ExitCode::kFailure, fmt::format("{}: {}", action, error.what()));
  }
}

}  // namespace tcrops::nn

#pragma once

#include <chrono>

namespace tcrops::serve {

// Since 1970, on the system's clock.
[[nodiscard]] inline double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace tcrops::serve

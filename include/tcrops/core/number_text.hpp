// Numbers as fmt writes them, for those who write very many. Thread-safe.
#pragma once

#include <string>

namespace tcrops {

// The bytes of fmt's "{:.<digits>g}".
[[nodiscard]] std::string general_text(double value, int digits);

// The bytes of fmt's "{:.<decimals>f}".
[[nodiscard]] std::string fixed_text(double value, int decimals);

}  // namespace tcrops

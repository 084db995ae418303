// Numbers as fmt writes them, for those who write very many. Thread-safe.
#pragma once

#include <string>

namespace tcrops {

// Appends the bytes of fmt's "{:.<digits>g}".
void append_general(std::string& to, double value, int digits);

// Appends the bytes of fmt's "{:.<decimals>f}".
void append_fixed(std::string& to, double value, int decimals);

}  // namespace tcrops

// What a fuzz target is: libFuzzer's entry point and texts to begin with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tcrops::fuzz {

// Inputs of the target as LLVMFuzzerTestOneInput takes them; `tables` are files to begin with.
[[nodiscard]] std::vector<std::string> seeds(const std::vector<std::string>& tables);

// Both libFuzzer and our driver know a finding by the process' end.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "property does not hold: %.*s\n", static_cast<int>(what.size()),
               what.data());
  std::abort();
}

// The bytes one by one, then the rest.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size)
      : left_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] std::size_t below(std::size_t bound) {
    if (left_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return byte % bound;
  }
  [[nodiscard]] std::string rest() const { return std::string(left_); }

 private:
  std::string_view left_;
};

}  // namespace tcrops::fuzz

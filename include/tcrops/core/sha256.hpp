#pragma once

#include <tcrops/core/error.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tcrops {

using Sha256Digest = std::array<unsigned char, 32>;

// Of bytes that are all there. Thread-safe.
[[nodiscard]] Sha256Digest sha256(std::string_view bytes);
// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string digest_hex(const Sha256Digest& digest);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// Incremental SHA-256 (FIPS 180-4). `hex` ends it: 64 lower-case hexadecimal digits.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads the file in blocks, with a look at check_interrupt() between them. Throws
// Error(`otherwise`) when it cannot be read.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path,
                                      ExitCode otherwise = ExitCode::kArtifact);

}  // namespace tcrops

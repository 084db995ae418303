#pragma once

#include <tcrops/core/error.hpp>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tcrops {

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

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// Reads the file in blocks, with a look at check_interrupt() between them. Throws
// Error(`otherwise`) when it cannot be read.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path,
                                      ExitCode otherwise = ExitCode::kArtifact);

}  // namespace tcrops
